using System.Text;
using System.Text.Json.Nodes;

namespace Hexcast.App.Tests.Api;

/// <summary>The API's document as a page for people: docs/api/reference.md.</summary>
internal static class ApiReference
{
    public static string Write(JsonNode document)
    {
        var page = new StringBuilder(
            """
            # API reference

            Every request that the platform answers, made by `./hexcast docs` from what `GET /openapi/v1.json` says; the
            tests hold every answer of a running platform against it. How the requests go together is told in
            [uploads](uploads.md), [media](media.md), [playback](playback.md), [access](access.md) and
            [a node's state](node.md), what each `code` means in [errors](../operations/errors.md).


            """);
        page.AppendLine("| request | what | needs |").AppendLine("| --- | --- | --- |");
        var groups = Requests(document).GroupBy(request => request.Group).ToList();
        foreach (var request in groups.SelectMany(group => group))
        {
            page.AppendLine(
                $"| `{request.Line}` | [{request.Summary}](#{Anchor(request.Summary)}) | {request.Needs} |");
        }

        foreach (var group in groups)
        {
            page.AppendLine().AppendLine($"## {group.Key}");
            foreach (var request in group)
            {
                Write(page, request);
            }
        }

        page.AppendLine().AppendLine("## Shapes");
        foreach (var (name, schema) in document["components"]!["schemas"]!.AsObject())
        {
            Write(page, name, schema!);
        }

        return page.ToString();
    }

    /// <summary>Operations in the document's order of groups; HEAD stands beside its GET.</summary>
    private static IEnumerable<Request> Requests(JsonNode document) =>
        document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation =>
                new Request(path.Key, operation.Key.ToUpperInvariant(), operation.Value!)))
            .GroupBy(request => (request.Path, request.Summary))
            .Select(same => same.First() with { Methods = string.Join(", ", same.Select(request => request.Methods)) })
            .OrderBy(request => document["tags"]!.AsArray().ToList().FindIndex(tag =>
                (string)tag!["name"]! == request.Group));

    private static void Write(StringBuilder page, Request request)
    {
        page.AppendLine().AppendLine($"### {request.Summary}").AppendLine().AppendLine($"`{request.Line}`");
        page.AppendLine().AppendLine($"Needs {request.Needs}. {request.Node["description"]}".TrimEnd());
        var parameters = request.Node["parameters"]?.AsArray() ?? [];
        var body = request.Node["requestBody"];
        if (parameters.Count > 0 || body is not null)
        {
            page.AppendLine().AppendLine("| takes | in | value | what |").AppendLine("| --- | --- | --- | --- |");
        }

        foreach (var parameter in parameters)
        {
            var required = (string)parameter!["in"]! != "path" && (bool?)parameter["required"] == true;
            page.AppendLine(
                $"| `{parameter["name"]}` | {parameter["in"]}{(required ? ", required" : "")} " +
                $"| {Cell(Value(parameter["schema"]!))} | {Cell((string?)parameter["description"])} |");
        }

        if (body is not null)
        {
            page.AppendLine(
                $"| body |{((bool?)body["required"] == true ? " required" : "")} | {Cell(Content(body["content"]))} " +
                $"| {Cell((string?)body["description"])} |");
        }

        page.AppendLine().AppendLine("| answers | what | body |").AppendLine("| --- | --- | --- |");
        foreach (var (status, answer) in request.Node["responses"]!.AsObject().Where(answer => answer.Key != "default"))
        {
            var headers = string.Concat((answer!["headers"]?.AsObject() ?? [])
                .Select(header => $"; `{header.Key}`: {header.Value!["description"]}"));
            page.AppendLine(
                $"| {status} | {Cell($"{answer["description"]}{headers}")} | {Cell(Content(answer["content"]))} |");
        }
    }

    private static void Write(StringBuilder page, string name, JsonNode schema)
    {
        page.AppendLine().AppendLine($"### {name}").AppendLine();
        page.AppendLine("| field | value | what |").AppendLine("| --- | --- | --- |");
        var required = (schema["required"]?.AsArray() ?? []).Select(field => (string)field!).ToHashSet();
        foreach (var (field, value) in schema["properties"]?.AsObject() ?? [])
        {
            var optional = required.Contains(field) ? "" : ", may be absent";
            page.AppendLine(
                $"| `{field}` | {Cell(Value(value!) + optional)} | {Cell(Description(value!))} |");
        }
    }

    // That of a field that may be null stands beside the reference.
    private static string? Description(JsonNode schema) => (string?)schema["description"]
        ?? schema["oneOf"]?.AsArray().Select(one => (string?)one!["description"])
            .FirstOrDefault(text => text is not null);

    private static string Content(JsonNode? content) => string.Join(", ", (content?.AsObject() ?? []).Select(one =>
        one.Value?["schema"] is { } schema && schema["$ref"] is not null ? Value(schema)
        : one.Value?["schema"]?["allOf"] is not null ? Value(one.Value["schema"]!["allOf"]![0]!)
        : $"`{one.Key}`"));

    private static string Value(JsonNode schema)
    {
        if ((string?)schema["$ref"] is { } reference)
        {
            var name = reference.Split('/')[^1];
            return $"[{name}](#{Anchor(name)})";
        }

        if ((schema["oneOf"] ?? schema["anyOf"]) is JsonArray several)
        {
            return string.Join(" or ", several.Select(one => Value(one!)));
        }

        var text = schema["enum"] is JsonArray names
            ? string.Join(", ", names.Where(one => one is not null).Select(one => $"`{one}`"))
            : schema["items"] is { } items ? $"several of {Value(items)}" : Types(schema);
        var limits = string.Concat(
            Say("minimum", " from {0}"), Say("maximum", " to {0}"), Say("maxLength", ", at most {0} characters"),
            Say("maxItems", ", at most {0}"), Say("pattern", ", like `{0}`"), Say("default", ", otherwise `{0}`"));
        return text + limits + (IsNullable(schema) ? " or null" : "");

        string Say(string word, string form) => schema[word] is { } value ? string.Format(form, value) : "";
    }

    private static string Types(JsonNode schema) => schema["type"] switch
    {
        { } when (string?)schema["format"] == "date-time" => "time",
        JsonArray several => string.Join(" or ", several.Select(type => (string)type!).Where(type => type != "null")),
        { } one => (string)one!,
        null => "any",
    };

    private static bool IsNullable(JsonNode schema) =>
        schema["type"] is JsonArray several && several.Any(type => (string)type! == "null");

    // GitHub's own rule, as the links in the other pages use it.
    private static string Anchor(string heading) => string.Concat(
        heading.ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-')).Replace(' ', '-');

    private static string Cell(string? text) => (text ?? "").Replace("|", "\\|");

    private sealed record Request(string Path, string Methods, JsonNode Node)
    {
        public string Line => $"{Methods} {Path}";

        public string Summary => (string)Node["summary"]!;

        public string Group => (string)Node["tags"]![0]!;

        public string Needs => Node["security"] is JsonArray { Count: > 0 } needs
            ? needs[0]!.AsObject().SelectMany(scheme => scheme.Value!.AsArray()).ToList() is { Count: > 0 } scopes
                ? $"`{string.Join(", ", scopes)}`" : "a credential"
            : "nothing";
    }
}
