using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Hexcast.Platform.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Hexcast.Platform.Http;

/// <summary>
/// GET /openapi/v1.json: the document of this node's roles, made from what stands beside each mapping.
/// </summary>
internal static class ApiDocument
{
    public const string ProblemSchema = "Problem";
    private const string Name = "v1";
    private const string Path = "/openapi/v1.json";

    /// <summary>The ending of the records that describe answers; it says nothing to a client.</summary>
    private const string Answer = "Answer";

    public static void AddApiDocument(this IServiceCollection services)
    {
        // The API's names, in the schemas as in the answers.
        services.ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions));
        services.AddSingleton<IApiDescriptionProvider, DescribedEndpoints>();
        services.AddOpenApi(Name, document =>
        {
            document.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            document.ShouldInclude = DescribedEndpoints.IsOurs;
            document.CreateSchemaReferenceId = type => OpenApiOptions.CreateDefaultSchemaReferenceId(type) is { } name
                ? name.EndsWith(Answer, StringComparison.Ordinal) ? name[..^Answer.Length] : name
                : null;
            document.AddOperationTransformer<OperationWriter>();
            document.AddSchemaTransformer((schema, context, _) =>
            {
                NameValues(schema, context.JsonPropertyInfo);
                NameTimes(schema, context.JsonTypeInfo.Type);
                return Task.CompletedTask;
            });
            document.AddDocumentTransformer((api, _, _) =>
            {
                Finish(api);
                return Task.CompletedTask;
            });
        });
    }

    public static void MapApiDocument(this IEndpointRouteBuilder http)
    {
        // It changes only with the executable.
        var document = new Lazy<Task<byte[]>>(() => WriteAsync(http.ServiceProvider));
        http.MapGet(Path, async context =>
        {
            context.Response.ContentType = "application/json";
            context.Response.Headers.CacheControl = "no-cache";
            await context.Response.BodyWriter.WriteAsync(await document.Value, context.RequestAborted);
        }).AllowAnyone().Describe(ApiGroup.Nodes, "Describe the API", document => document
            .Answers(200, "this document, OpenAPI 3.1", "application/json"));
    }

    private static async Task<byte[]> WriteAsync(IServiceProvider services)
    {
        var provider = services.GetRequiredKeyedService<IOpenApiDocumentProvider>(Name);
        var document = await provider.GetOpenApiDocumentAsync();
        return Encoding.UTF8.GetBytes(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1));
    }

    // The generator knows ranges, lengths and patterns, not this one.
    private static void NameValues(OpenApiSchema schema, JsonPropertyInfo? property)
    {
        if (property?.AttributeProvider?.GetCustomAttributes(typeof(AllowedValuesAttribute), inherit: false)
            is [AllowedValuesAttribute allowed])
        {
            schema.Enum = [.. allowed.Values.Select(value => value is string name ? (JsonNode)name : null!)];
        }
    }

    // Nor what a converter of ours writes.
    private static void NameTimes(OpenApiSchema schema, Type type)
    {
        if (type == typeof(DateTimeOffset) || type == typeof(DateTimeOffset?))
        {
            schema.Type = type == typeof(DateTimeOffset)
                ? JsonSchemaType.String : JsonSchemaType.String | JsonSchemaType.Null;
            schema.Format = "date-time";
        }
    }

    private static void Finish(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Hexcast",
            Version = Name,
            Description = "Uploads, media, playback and the platform's state. Errors are RFC 9457 problem details; " +
                "`code` is stable.",
        };
        document.Servers = [];
        document.Tags = new HashSet<OpenApiTag>(
            Enum.GetNames<ApiGroup>().Select(name => new OpenApiTag { Name = name }));
        ApiAccess.AddSchemes(document);
        document.AddComponent(ProblemSchema, new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string>(StringComparer.Ordinal) { "type", "title", "status", "code", "detail" },
            Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
            {
                ["type"] = Value.Text(),
                ["title"] = Value.Text(),
                ["status"] = Value.Number(400, 599),
                ["code"] = Value.Text(),
                ["detail"] = Value.Text(),
            },
        });
    }
}
