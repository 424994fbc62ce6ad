using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Hexcast.Harness;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.App.Tests.Api;

/// <summary>/openapi/v1.json of a node with every role, and the page that is made from it.</summary>
public sealed partial class ApiDocumentTests(ApiDocumentTests.WholeNode node)
    : IClassFixture<ApiDocumentTests.WholeNode>
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "options", "head", "patch"];

    [Fact]
    public void Every_endpoint_is_in_the_document_or_says_why_not()
    {
        var missing = node.Endpoints.Where(endpoint =>
            endpoint.Metadata.GetMetadata<Operation>() is null &&
            endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is null);
        missing.Select(endpoint => endpoint.DisplayName).ShouldBeEmpty("Add .Describe(…) beside these mappings");
    }

    [Fact]
    public void Nothing_else_is_in_the_document()
    {
        var mapped = node.Endpoints
            .Select(endpoint => "/" + endpoint.RoutePattern.RawText!.TrimStart('/').Replace("**", "")).ToHashSet();
        node.Document["paths"]!.AsObject().Select(path => path.Key)
            .Where(path => !mapped.Contains(path)).ShouldBeEmpty();
    }

    [Fact]
    public void It_is_a_document_of_OpenAPI_3_1()
    {
        ((string)node.Document["openapi"]!).ShouldStartWith("3.1.");
        ((string)node.Document["info"]!["title"]!).ShouldNotBeEmpty();
        ((string)node.Document["info"]!["version"]!).ShouldNotBeEmpty();
        var ids = new List<string>();
        foreach (var (path, item) in node.Document["paths"]!.AsObject())
        {
            path.ShouldStartWith("/");
            foreach (var (method, operation) in item!.AsObject())
            {
                Methods.ShouldContain(method, path);
                ids.Add((string)operation!["operationId"]!);
                CheckOperation(path, operation);
            }
        }

        ids.ShouldBeUnique();
        ReferencesIn(node.Document).ShouldAllBe(reference => Resolves(reference));
    }

    [Fact]
    public async Task The_reference_says_what_the_document_says()
    {
        var page = Path.Combine(Root(), "docs", "api", "reference.md");
        var written = ApiReference.Write(node.Document);
        if (Environment.GetEnvironmentVariable("HEXCAST_REWRITE_GOLDEN") == "1")
        {
            await File.WriteAllTextAsync(page, written, TestContext.Current.CancellationToken);
        }

        var kept = await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken);
        kept.ShouldBe(written, "docs/api/reference.md is stale. Run: ./hexcast docs");
    }

    [Fact]
    public async Task What_is_documented_is_known_to_the_whole_run()
    {
        var documented = node.Document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().SelectMany(operation => operation.Value!["responses"]!.AsObject()
                .Select(answer => $"{operation.Key.ToUpperInvariant()} {path.Key} {answer.Key}")))
            // What any operation can end with cannot be had from each; HEAD is its GET without a body.
            .Where(line => !line.EndsWith(" default", StringComparison.Ordinal))
            .Where(line => !line.StartsWith("HEAD /play/") && !line.StartsWith("HEAD /watch/")).ToList();
        documented.ShouldBeUnique();
        if (Environment.GetEnvironmentVariable("HEXCAST_ANSWERS") is { Length: > 0 } folder)
        {
            await File.WriteAllLinesAsync(
                Path.Combine(folder, "documented"), documented, TestContext.Current.CancellationToken);
        }
    }

    // OpenAPI 3.1, 4.8.10 to 4.8.17: what each must have, and that path parameters and templates name the same.
    private static void CheckOperation(string path, JsonNode operation)
    {
        ((string)operation["summary"]!).ShouldNotBeEmpty(path);
        operation["tags"]!.AsArray().Count.ShouldBe(1, path);
        var parameters = operation["parameters"]?.AsArray() ?? [];
        foreach (var parameter in parameters)
        {
            parameter!["schema"].ShouldNotBeNull($"{path}: {parameter["name"]}");
            ((string)parameter["in"]!).ShouldBeOneOf("path", "query", "header", "cookie");
        }

        parameters.Select(parameter => $"{parameter!["in"]} {parameter["name"]}").ShouldBeUnique();
        var inPath = parameters.Where(parameter => (string)parameter!["in"]! == "path").ToList();
        inPath.ShouldAllBe(parameter => (bool)parameter!["required"]!);
        inPath.Select(parameter => (string)parameter!["name"]!).ShouldBe(
            Template().Matches(path).Select(name => name.Groups["name"].Value), ignoreOrder: true, path);
        (operation["requestBody"]?["content"] as JsonObject)?.Count.ShouldBeGreaterThan(0, path);
        operation["responses"]!.AsObject().Count.ShouldBeGreaterThan(1, path);
        foreach (var (status, response) in operation["responses"]!.AsObject())
        {
            Status().IsMatch(status).ShouldBeTrue($"{path}: {status}");
            ((string)response!["description"]!).ShouldNotBeEmpty($"{path}: {status}");
        }
    }

    private static IEnumerable<string> ReferencesIn(JsonNode? node) => node switch
    {
        JsonObject parts => parts.SelectMany(part =>
            part.Key == "$ref" ? [(string)part.Value!] : ReferencesIn(part.Value)),
        JsonArray items => items.SelectMany(ReferencesIn),
        _ => [],
    };

    private bool Resolves(string reference) =>
        reference.StartsWith("#/", StringComparison.Ordinal) &&
        reference[2..].Split('/').Aggregate((JsonNode?)node.Document, (at, step) => at?[step]) is not null;

    private static string Root()
    {
        var checkout = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(checkout.FullName, "Hexcast.slnx")))
        {
            checkout = checkout.Parent!;
        }

        return checkout.FullName;
    }

    [GeneratedRegex(@"\{(?<name>\w+)\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Template();

    [GeneratedRegex("^([1-5][0-9][0-9]|default)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Status();

    public sealed class WholeNode : IAsyncLifetime
    {
        private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("hexcast-api-");
        private HostedNode? running;

        internal JsonNode Document { get; private set; } = null!;

        internal IReadOnlyList<RouteEndpoint> Endpoints { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            running = await HostedNode.StartAsync(
                folder.FullName, [.. Targets.Table.Select(target => target.Module())]);
            using var http = new HttpClient();
            Document = JsonNode.Parse(await http.GetStringAsync(new Uri(running.Address, "/openapi/v1.json")))!;
            Endpoints = [.. running.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
                .Where(endpoint => !IsOfRoles(endpoint))];
        }

        public async ValueTask DisposeAsync()
        {
            await running!.DisposeAsync();
            folder.Delete(recursive: true);
        }

        // gRPC lies on the other listener: /package.Service/Method.
        private static bool IsOfRoles(RouteEndpoint endpoint) =>
            endpoint.RoutePattern.RawText!.TrimStart('/').Split('/')[0].Contains('.') ||
            endpoint.RoutePattern.RawText.Contains("{method:", StringComparison.Ordinal);
    }
}
