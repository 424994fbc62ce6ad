using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Hexcast.Harness;

/// <summary>
/// Between a test's client and a running platform: every answer that comes through must be one that the platform's own
/// API document promises.
/// </summary>
/// <param name="family">Platforms of the same roles, which have the same document.</param>
public sealed class ContractHandler(string family, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private static readonly ConcurrentDictionary<string, ApiContract> Contracts = new(StringComparer.Ordinal);

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await base.SendAsync(request, cancellationToken);
        var isJson = answer.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        var body = isJson ? await answer.Content.ReadAsStringAsync(cancellationToken) : null;
        var contract = await ContractAsync(request.RequestUri!, cancellationToken);
        // tus 1.0: a client that knows only GET and POST names the method apart.
        var method = request.Headers.TryGetValues("X-HTTP-Method-Override", out var over)
            ? over.First() : request.Method.Method;
        var faults = contract.Faults(method, request.RequestUri!.AbsolutePath, answer, body).ToList();
        return faults.Count == 0 ? answer : throw new ContractException(
            $"{method} {request.RequestUri.AbsolutePath} → {(int)answer.StatusCode} is not what " +
            $"/openapi/v1.json promises; correct the endpoint or its Describe():\n  {string.Join("\n  ", faults)}");
    }

    private async Task<ApiContract> ContractAsync(Uri server, CancellationToken cancel)
    {
        if (!Contracts.TryGetValue(family, out var contract))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server, "/openapi/v1.json"));
            using var answer = await base.SendAsync(request, cancel);
            answer.EnsureSuccessStatusCode();
            contract = new ApiContract(JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))!);
            Contracts[family] = contract;
        }

        return contract;
    }
}

public sealed class ContractException(string message) : Exception(message);
