using System.Net.Http.Headers;

namespace Hexcast.Harness;

/// <summary>Shows the admin token with each request that shows none, once its file is there.</summary>
/// <param name="path">Where it lies; asked for each time, as it may lie below a process that has yet to start.</param>
public sealed class AdminTokenHandler(Func<string> path, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    public const string FileName = "admin.token";

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var file = path();
        if (request.Headers.Authorization is null && File.Exists(file))
        {
            var token = (await File.ReadAllTextAsync(file, cancellationToken)).Trim();
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return await base.SendAsync(request, cancellationToken);
    }
}
