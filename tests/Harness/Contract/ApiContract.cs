using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Hexcast.Harness;

/// <summary>
/// Holds answers against the API's document: the status must be documented for the operation, its body's type and
/// shape too, and a problem's code must be one that stands there.
/// </summary>
public sealed class ApiContract
{
    private static readonly string[] Roots = ["/v1/", "/play/"];

    private readonly List<Described> operations;
    private readonly SchemaCheck schemas;

    public ApiContract(JsonNode document)
    {
        schemas = new SchemaCheck(document);
        operations = [.. document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation => new Described(
                path.Key, operation.Key.ToUpperInvariant(), operation.Value!)))
            // What is written out wins over what stands for anything.
            .OrderBy(operation => operation.Path.Count(c => c == '{'))];
    }

    /// <summary>What the document does not allow of this answer.</summary>
    /// <param name="body">Null where it was not read: a stream, or bytes.</param>
    public IEnumerable<string> Faults(string method, string path, HttpResponseMessage answer, string? body)
    {
        var known = operations.Where(operation => operation.Matches(path)).ToList();
        if (known.Count == 0)
        {
            // Pages' files and the like are no part of the API, and say so where they are mapped.
            return answer.StatusCode == HttpStatusCode.NotFound || !Roots.Any(path.StartsWith)
                ? [] : ["the path is not in the document"];
        }

        var operation = known.Find(operation => operation.Method == method);
        return operation is null
            ? answer.StatusCode is HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotFound
                ? [] : ["the method is not in the document"]
            : Faults(operation, answer, body);
    }

    private List<string> Faults(Described operation, HttpResponseMessage answer, string? body)
    {
        var responses = operation.Node["responses"]!;
        var status = ((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture);
        AnswersSeen.Add($"{operation.Method} {operation.Path}", status);
        if ((responses[status] ?? responses["default"]) is not { } described)
        {
            return [$"the status {status} is not in the document"];
        }

        var type = answer.Content.Headers.ContentType?.MediaType;
        if (type is null || answer.Content.Headers.ContentLength == 0)
        {
            return responses[status] is null ? [$"the status {status} is not in the document"] : [];
        }

        return operation.Method == "HEAD" ? []
            : described["content"]?[type] is not { } content ? [$"{type} is not in the document for {status}"]
            : content["schema"] is not { } schema || body is null ? []
            : schemas.Faults(body.Length == 0 ? null : JsonNode.Parse(body), schema);
    }

    private sealed record Described(string Path, string Method, JsonNode Node)
    {
        private readonly string[] steps = Path.Split('/');

        /// <summary>Step by step; "{name}" stands for anything, with what is written around it.</summary>
        public bool Matches(string path)
        {
            var asked = path.Split('/');
            // The last one of a template may stand for several, for which OpenAPI has no word.
            var isLong = steps[^1] == "{path}" && asked.Length > steps.Length;
            return (isLong || asked.Length == steps.Length) &&
                steps.Zip(asked).All(pair => Fits(pair.First, pair.Second));
        }

        private static bool Fits(string step, string asked)
        {
            var (open, close) = (step.IndexOf('{'), step.IndexOf('}'));
            return open < 0
                ? step == asked
                : asked.Length > step.Length - (close - open + 1)
                    && asked.StartsWith(step[..open], StringComparison.Ordinal)
                    && asked.EndsWith(step[(close + 1)..], StringComparison.Ordinal);
        }
    }
}
