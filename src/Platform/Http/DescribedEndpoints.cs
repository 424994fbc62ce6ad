using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Platform.Http;

/// <summary>
/// Tells the document's generator of every endpoint that is described, method by method. Its own provider would leave
/// out plain request delegates and endpoints that take several methods apart, which most of ours are.
/// </summary>
internal sealed class DescribedEndpoints(EndpointDataSource endpoints) : IApiDescriptionProvider
{
    private static readonly object Mark = new();

    public int Order => 0;

    public static bool IsOurs(ApiDescription description) => description.Properties.ContainsKey(Mark);

    public static Operation OperationOf(ApiDescription description) => (Operation)description.Properties[Mark];

    public void OnProvidersExecuting(ApiDescriptionProviderContext context)
    {
        foreach (var endpoint in endpoints.Endpoints.OfType<RouteEndpoint>())
        {
            foreach (var operation in endpoint.Metadata.GetOrderedMetadata<Operation>())
            {
                foreach (var method in MethodsOf(endpoint, operation))
                {
                    context.Results.Add(Describe(endpoint, operation, method));
                }
            }
        }
    }

    public void OnProvidersExecuted(ApiDescriptionProviderContext context)
    {
    }

    private static IReadOnlyList<string> MethodsOf(RouteEndpoint endpoint, Operation operation) =>
        operation.Method is { } one
            ? [one]
            : endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods
                ?? throw new InvalidOperationException($"{endpoint.DisplayName} is described without a method.");

    private static ApiDescription Describe(RouteEndpoint endpoint, Operation operation, string method)
    {
        var description = new ApiDescription
        {
            HttpMethod = method,
            RelativePath = endpoint.RoutePattern.RawText!.TrimStart('/'),
            ActionDescriptor = new ActionDescriptor
            {
                DisplayName = endpoint.DisplayName,
                EndpointMetadata = [.. endpoint.Metadata],
                RouteValues = { ["controller"] = operation.Group.ToString() },
            },
        };
        description.Properties[Mark] = operation;
        foreach (var body in operation.Bodies)
        {
            description.SupportedRequestFormats.AddRange(body.ContentTypes, type => new() { MediaType = type });
            description.ParameterDescriptions.Add(new ApiParameterDescription
            {
                Name = "body",
                Type = body.Type ?? typeof(Stream),
                Source = BindingSource.Body,
                IsRequired = body.Required,
            });
        }

        description.SupportedResponseTypes.AddRange(operation.Succeeds, answer => new ApiResponseType
        {
            StatusCode = answer.Status,
            Type = answer.Type,
            Description = answer.Text,
            ApiResponseFormats = [.. answer.ContentTypes.Select(type => new ApiResponseFormat { MediaType = type })],
        });
        return description;
    }
}

file static class ListExtensions
{
    public static void AddRange<TFrom, T>(this IList<T> list, IEnumerable<TFrom> items, Func<TFrom, T> convert)
    {
        foreach (var item in items)
        {
            list.Add(convert(item));
        }
    }
}
