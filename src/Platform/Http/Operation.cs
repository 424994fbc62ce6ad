using Hexcast.Platform.Errors;
using Microsoft.OpenApi;

namespace Hexcast.Platform.Http;

/// <summary>The headings of the API reference, in its order.</summary>
public enum ApiGroup
{
    Uploads,
    Media,
    Playback,
    Access,
    Nodes,
    Pages,
}

/// <summary>
/// What one operation of the HTTP API takes and answers: metadata beside its mapping, from which the OpenAPI document
/// and the reference are made, and against which the end-to-end tests hold every answer.
/// </summary>
public sealed class Operation
{
    internal Operation(ApiGroup group, string summary)
    {
        Group = group;
        Summary = summary;
    }

    internal ApiGroup Group { get; }

    internal string Summary { get; }

    internal string? Details { get; private set; }

    /// <summary>Null: the methods that the endpoint is mapped for.</summary>
    internal string? Method { get; private set; }

    internal List<ApiParameter> Parameters { get; } = [];

    internal List<ApiBody> Bodies { get; } = [];

    internal List<ApiAnswer> Succeeds { get; } = [];

    internal HashSet<string> Failures { get; } = new(StringComparer.Ordinal);

    /// <summary>One of several methods that one endpoint takes.</summary>
    public Operation For(string method)
    {
        Method = method;
        return this;
    }

    public Operation Says(string details)
    {
        Details = details;
        return this;
    }

    public Operation Path(string name, OpenApiSchema value, string text) =>
        Add(new ApiParameter(ParameterLocation.Path, name, value, text, Required: true));

    public Operation Query(string name, OpenApiSchema value, string text) =>
        Add(new ApiParameter(ParameterLocation.Query, name, value, text, Required: false));

    public Operation Header(string name, OpenApiSchema value, string text, bool required = false) =>
        Add(new ApiParameter(ParameterLocation.Header, name, value, text, required));

    /// <summary>A body of JSON.</summary>
    public Operation Takes<T>(string text, bool required = true)
    {
        Bodies.Add(new ApiBody(["application/json"], typeof(T), text, required));
        return this;
    }

    public Operation TakesBytes(string text, bool required, params string[] contentTypes)
    {
        Bodies.Add(new ApiBody(contentTypes, Type: null, text, required));
        return this;
    }

    /// <summary>An answer of JSON.</summary>
    public Operation Answers<T>(int status, string text) =>
        Add(new ApiAnswer(status, text, ["application/json"], typeof(T), []));

    /// <param name="status">Of HTTP.</param>
    /// <param name="text">What it means.</param>
    /// <param name="contentTypes">None: without a body.</param>
    public Operation Answers(int status, string text, params string[] contentTypes) =>
        Add(new ApiAnswer(status, text, contentTypes, Type: null, []));

    /// <summary>A header of the answer named last.</summary>
    public Operation With(string header, string text)
    {
        Succeeds[^1].Headers.Add((header, text));
        return this;
    }

    /// <summary>Codes of <see cref="ErrorCodes"/>; their statuses follow.</summary>
    public Operation Fails(params string[] codes)
    {
        Failures.UnionWith(codes);
        return this;
    }

    private Operation Add(ApiParameter parameter)
    {
        Parameters.Add(parameter);
        return this;
    }

    private Operation Add(ApiAnswer answer)
    {
        Succeeds.Add(answer);
        return this;
    }
}

internal sealed record ApiParameter(
    ParameterLocation In, string Name, OpenApiSchema Value, string Text, bool Required);

internal sealed record ApiBody(IReadOnlyList<string> ContentTypes, Type? Type, string Text, bool Required);

internal sealed record ApiAnswer(
    int Status, string Text, IReadOnlyList<string> ContentTypes, Type? Type, List<(string Name, string Text)> Headers);
