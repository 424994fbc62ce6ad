using System.Globalization;
using System.Text.Json.Nodes;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Hexcast.Platform.Http;

/// <summary>
/// Writes an <see cref="Operation"/> into the document; the generator has put the schemas of its bodies there already.
/// </summary>
internal sealed class OperationWriter : IOpenApiOperationTransformer
{
    private const string ProblemType = "application/problem+json";

    /// <summary>What any operation can end with, whatever it does.</summary>
    private static readonly string[] Anywhere =
    [
        ErrorCodes.Internal, ErrorCodes.Unavailable, ErrorCodes.AuditUnavailable, ErrorCodes.DeadlineExceeded,
        ErrorCodes.StorageFull,
    ];

    public Task TransformAsync(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var described = DescribedEndpoints.OperationOf(context.Description);
        var head = HttpMethods.IsHead(context.Description.HttpMethod!);
        operation.Summary = described.Summary;
        operation.Description = described.Details;
        operation.OperationId = IdOf(described.Summary) + (head && described.Method is null ? "Head" : "");
        operation.Parameters = [.. described.Parameters.Select(Write)];
        if (operation.RequestBody is OpenApiRequestBody body)
        {
            body.Description = described.Bodies[0].Text;
            body.Required = described.Bodies[0].Required;
            if (described.Bodies[0].Type is null)
            {
                // Bytes have no schema in OpenAPI 3.1.
                foreach (var type in body.Content!.Keys.ToList())
                {
                    body.Content[type] = new OpenApiMediaType();
                }
            }
        }

        foreach (var answer in described.Succeeds)
        {
            Write(operation, answer, head);
        }

        if (head)
        {
            // RFC 9110, 14.2: a range has a meaning for GET only.
            operation.Responses!.Remove("206");
            operation.Responses.Remove("416");
        }

        var access = ApiAccess.Of(context.Description);
        operation.Security = access.Requirements(context.Document!);
        if (access.SendsToSignIn)
        {
            operation.Responses![Status(StatusCodes.Status303SeeOther)] = new OpenApiResponse
            {
                Description = "to `/sign-in`, where nobody is signed in or the scope is missing",
            };
        }

        var failures = described.Failures.Concat(access.Failures(context.Description.HttpMethod!)).Distinct();
        foreach (var codes in failures.GroupBy(ErrorCodes.HttpStatus).OrderBy(codes => codes.Key))
        {
            Write(operation, Status(codes.Key), codes, context.Document!, head);
        }

        Write(operation, "default", Anywhere, context.Document!, head);
        return Task.CompletedTask;
    }

    /// <summary>"List media" → listMedia; articles are left out.</summary>
    private static string IdOf(string summary)
    {
        var words = summary.Split([' ', ',', '-'], StringSplitOptions.RemoveEmptyEntries)
            .Where(word => word is not ("a" or "an" or "the"))
            .Select(word => string.Concat(word.Where(char.IsLetterOrDigit)));
        var id = string.Concat(words.Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
        return char.ToLowerInvariant(id[0]) + id[1..];
    }

    private static OpenApiParameter Write(ApiParameter parameter) => new()
    {
        In = parameter.In,
        Name = parameter.Name,
        Schema = parameter.Value,
        Description = parameter.Text,
        Required = parameter.Required,
    };

    private static void Write(OpenApiOperation operation, ApiAnswer answer, bool head)
    {
        var response = (OpenApiResponse)operation.Responses![Status(answer.Status)];
        response.Description = answer.Text;
        if (head || answer.ContentTypes.Count == 0)
        {
            response.Content = null;
        }
        else if (answer.Type is null)
        {
            response.Content = answer.ContentTypes.ToDictionary(
                type => type, _ => new OpenApiMediaType(), StringComparer.Ordinal);
        }

        foreach (var (name, text) in answer.Headers)
        {
            (response.Headers ??= new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal))[name] =
                new OpenApiHeader { Description = text, Schema = Value.Text() };
        }
    }

    private static void Write(
        OpenApiOperation operation, string status, IEnumerable<string> codes, OpenApiDocument document, bool head)
    {
        var named = codes.Order(StringComparer.Ordinal).ToList();
        var response = new OpenApiResponse { Description = string.Join(", ", named.Select(code => $"`{code}`")) };
        if (!head)
        {
            response.Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                [ProblemType] = new OpenApiMediaType { Schema = ProblemWith(named, document) },
            };
        }

        operation.Responses![status] = response;
    }

    private static OpenApiSchema ProblemWith(List<string> codes, OpenApiDocument document) => new()
    {
        AllOf =
        [
            new OpenApiSchemaReference(ApiDocument.ProblemSchema, document),
            new OpenApiSchema
            {
                Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
                {
                    ["code"] = new OpenApiSchema { Enum = [.. codes.Select(code => (JsonNode)code)] },
                },
            },
        ],
    };

    private static string Status(int status) => status.ToString(CultureInfo.InvariantCulture);
}
