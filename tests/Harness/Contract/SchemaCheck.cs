using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Hexcast.Harness;

/// <summary>
/// Holds JSON against a schema of the API's document: the part of JSON Schema 2020-12 that the document uses. A word
/// that is not known here is an error, so that nothing passes unchecked.
/// </summary>
internal sealed class SchemaCheck(JsonNode document)
{
    private static readonly TimeSpan PatternLimit = TimeSpan.FromSeconds(1);

    /// <summary>They say nothing about what is allowed.</summary>
    private static readonly string[] Silent = ["description", "default", "title", "examples"];

    /// <summary>What of the value the schema does not allow; each with the place where it stands.</summary>
    public List<string> Faults(JsonNode? value, JsonNode schema)
    {
        var faults = new List<string>();
        Check(value, schema.AsObject(), "$", faults);
        return faults;
    }

    private void Check(JsonNode? value, JsonObject schema, string at, List<string> faults)
    {
        foreach (var (word, rule) in schema)
        {
            switch (word)
            {
                case "$ref":
                    Check(value, Resolve((string)rule!), at, faults);
                    break;
                case "type":
                    Require(Types(rule!).Any(type => IsOf(value, type)), $"is no {rule!.ToJsonString()}");
                    break;
                case "enum":
                    Require(rule!.AsArray().Any(one => JsonNode.DeepEquals(one, value)), $"is none of {rule}");
                    break;
                case "allOf":
                    foreach (var all in rule!.AsArray())
                    {
                        Check(value, all!.AsObject(), at, faults);
                    }

                    break;
                case "oneOf" or "anyOf":
                    Require(rule!.AsArray().Any(one => Faults(value, one!).Count == 0), $"fits none of {rule}");
                    break;
                case "properties" when value is JsonObject parts:
                    foreach (var (name, part) in rule!.AsObject().Where(part => parts.ContainsKey(part.Key)))
                    {
                        Check(parts[name], part!.AsObject(), $"{at}.{name}", faults);
                    }

                    break;
                case "required" when value is JsonObject parts:
                    foreach (var name in rule!.AsArray().Select(name => (string)name!))
                    {
                        Require(parts.ContainsKey(name), $"lacks {name}");
                    }

                    break;
                case "items" when value is JsonArray items:
                    for (var i = 0; i < items.Count; i++)
                    {
                        Check(items[i], rule!.AsObject(), $"{at}[{i}]", faults);
                    }

                    break;
                case "maxItems" when value is JsonArray items:
                    Require(items.Count <= (int)rule!, $"has more than {rule} items");
                    break;
                case "minimum" when Number(value) is { } number:
                    Require(number >= (double)rule!, $"is below {rule}");
                    break;
                case "maximum" when Number(value) is { } number:
                    Require(number <= (double)rule!, $"is above {rule}");
                    break;
                case "maxLength" when Text(value) is { } text:
                    Require(text.Length <= (int)rule!, $"is longer than {rule}");
                    break;
                case "pattern" when Text(value) is { } text:
                    Require(Regex.IsMatch(text, (string)rule!, RegexOptions.None, PatternLimit), $"is not like {rule}");
                    break;
                case "format" when (string?)rule == "date-time" && Text(value) is { } text:
                    Require(IsTime(text), "is no time of RFC 3339");
                    break;
                case "properties" or "required" or "items" or "maxItems" or "minimum" or "maximum" or "maxLength"
                    or "pattern" or "format":
                    // Of another type of value than this.
                    break;
                default:
                    Require(Silent.Contains(word), $"has a schema with \"{word}\", which is not checked here");
                    break;
            }
        }

        void Require(bool holds, string otherwise)
        {
            if (!holds)
            {
                faults.Add($"{at} {otherwise}: {value?.ToJsonString() ?? "null"}");
            }
        }
    }

    private JsonObject Resolve(string reference)
    {
        JsonNode? node = document;
        foreach (var step in reference.TrimStart('#', '/').Split('/'))
        {
            node = node?[step];
        }

        return node?.AsObject() ?? throw new InvalidOperationException($"The document has no {reference}.");
    }

    private static IEnumerable<string> Types(JsonNode rule) =>
        rule is JsonArray several ? several.Select(type => (string)type!) : [(string)rule!];

    private static bool IsOf(JsonNode? value, string type) => (value?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        JsonValueKind.Null => type == "null",
        JsonValueKind.Object => type == "object",
        JsonValueKind.Array => type == "array",
        JsonValueKind.String => type == "string",
        JsonValueKind.True or JsonValueKind.False => type == "boolean",
        JsonValueKind.Number => type == "number" || (type == "integer" && Number(value) is { } n && n % 1 == 0),
        _ => false,
    };

    private static double? Number(JsonNode? value) =>
        value?.GetValueKind() == JsonValueKind.Number ? value.Deserialize<double>() : null;

    private static string? Text(JsonNode? value) =>
        value?.GetValueKind() == JsonValueKind.String ? (string?)value : null;

    private static bool IsTime(string text) =>
        text.Contains('T') && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _);
}
