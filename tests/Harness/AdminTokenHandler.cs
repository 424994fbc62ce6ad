using System.Net.Http.Headers;

namespace Hexcast.Harness;

/// <summary>Shows a data folder's admin token with each request that shows none, once the file is there.</summary>
public sealed class AdminTokenHandler(string dataFolder, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    public static string PathIn(string dataFolder) => Path.Combine(dataFolder, "admin.token");

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = PathIn(dataFolder);
        if (request.Headers.Authorization is null && File.Exists(path))
        {
            var token = (await File.ReadAllTextAsync(path, cancellationToken)).Trim();
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return await base.SendAsync(request, cancellationToken);
    }
}
