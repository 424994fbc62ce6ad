using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Hexcast.App.Cli;

namespace Hexcast.App.Client;

/// <summary>The HTTP API as the command line uses it. Every failure leaves as a <see cref="CliException"/>.</summary>
internal sealed partial class HexcastClient : IDisposable
{
    public const string UrlVariable = "HEXCAST_URL", TokenVariable = "HEXCAST_TOKEN";
    public const string DefaultUrl = "http://127.0.0.1:8080";

    /// <summary>No data folder of one machine holds more media than a list without an end would give.</summary>
    public const int MaxListed = PageSize * MaxPages;

    private const int PageSize = 100;
    private const int MaxPages = 1000;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(60);

    private readonly TimeProvider clock;
    private readonly ShownToken? token;

    /// <param name="token">An API token; null where the server needs none, as in tests.</param>
    /// <param name="accepts">Judges the server's certificate; null leaves it to the system's roots.</param>
    public HexcastClient(
        Uri address, TimeProvider clock, ShownToken? token = null, Func<X509Certificate2, bool>? accepts = null)
    {
        this.clock = clock;
        this.token = token;
        Address = address;
        var handler = new SocketsHttpHandler { ConnectTimeout = ConnectTimeout, AllowAutoRedirect = false };
        if (accepts is not null)
        {
            handler.SslOptions.RemoteCertificateValidationCallback =
                (_, shown, _, _) => shown is X509Certificate2 certificate && accepts(certificate);
        }

        Http = new HttpClient(handler)
        {
            BaseAddress = address,
            // Uploads and events last as long as they last; single answers have a limit of their own.
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (token is not null)
        {
            Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Secret);
        }
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    /// <summary>
    /// The server that HEXCAST_URL names, or the local one; with HEXCAST_TOKEN, or on this machine the admin token of
    /// the data folder. That one is never sent to another machine, whatever HEXCAST_URL says.
    /// </summary>
    /// <param name="named">The data folder was asked for, and is not where one looks by default.</param>
    public static HexcastClient FromEnvironment(string dataFolder, bool named, TimeProvider clock)
    {
        var text = Environment.GetEnvironmentVariable(UrlVariable);
        text = string.IsNullOrWhiteSpace(text) ? DefaultUrl : text.TrimEnd('/');
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? new HexcastClient(address, clock, Tokens.Find(address, dataFolder, named))
            : throw new CliException(
                ExitCode.Usage, $"{UrlVariable} is '{text}'; it has to be an address like {DefaultUrl}.");
    }

    public string WatchAddress(MediaDocument media) =>
        new Uri(Address, media.WatchUrl ?? $"/watch/{media.MediaId}").ToString();

    /// <summary>Where somebody else may watch it: of a signed media with a token that ends by itself.</summary>
    public async Task<WatchLink> LinkAsync(string mediaId, TimeSpan? lifetime, CancellationToken cancel)
    {
        using var body = JsonContent.Create(new { TtlSeconds = (long?)lifetime?.TotalSeconds }, options: Wire.Json);
        var granted = await SendAsync(HttpMethod.Post, $"{MediaPath(mediaId)}/playback", cancel, body);
        var links = Parse<PlaybackLinks>(granted);
        var query = links.Token is null ? "" : $"?token={links.Token}";
        return new WatchLink(new Uri(Address, $"/watch/{mediaId}{query}"), links.Policy, links.ExpiresAt);
    }

    public async Task<MediaDocument> GetAsync(string mediaId, CancellationToken cancel) =>
        Parse<MediaDocument>(await GetRawAsync(mediaId, cancel));

    /// <summary>The server's own document, for --json: nothing that this client does not know is lost.</summary>
    public Task<JsonElement> GetRawAsync(string mediaId, CancellationToken cancel) =>
        SendAsync(HttpMethod.Get, MediaPath(mediaId), cancel);

    public async Task<bool> ExistsAsync(string mediaId, CancellationToken cancel)
    {
        try
        {
            await GetRawAsync(mediaId, cancel);
            return true;
        }
        catch (CliException none) when (none.ExitCode == ExitCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>All pages, up to <paramref name="limit"/> media.</summary>
    public async Task<List<JsonElement>> ListRawAsync(MediaQuery query, int limit, CancellationToken cancel)
    {
        var found = new List<JsonElement>();
        string? cursor = null;
        for (var page = 0; page < MaxPages && found.Count < limit; page++)
        {
            var answer = await SendAsync(
                HttpMethod.Get, query.Path(Math.Min(PageSize, limit - found.Count), cursor), cancel);
            found.AddRange(answer.GetProperty("media").EnumerateArray().Take(limit - found.Count));
            cursor = answer.TryGetProperty("next_cursor", out var next) ? next.GetString() : null;
            if (cursor is null)
            {
                break;
            }
        }

        return found;
    }

    public async Task<IReadOnlyList<MediaDocument>> ListAsync(MediaQuery query, int limit, CancellationToken cancel) =>
        [.. (await ListRawAsync(query, limit, cancel)).Select(Parse<MediaDocument>)];

    public Task<JsonElement> NodesRawAsync(CancellationToken cancel) =>
        SendAsync(HttpMethod.Get, "/v1/nodes", cancel);

    public Task<JsonElement> DrainAsync(string nodeId, int? handBackAfterSeconds, CancellationToken cancel) =>
        SendAsync(HttpMethod.Put, DrainPath(nodeId) + (handBackAfterSeconds is { } after
            ? $"?hand_back_after_seconds={after}" : ""), cancel);

    public Task<JsonElement> UndrainAsync(string nodeId, CancellationToken cancel) =>
        SendAsync(HttpMethod.Delete, DrainPath(nodeId), cancel);

    public Task<JsonElement> QueuesRawAsync(CancellationToken cancel) =>
        SendAsync(HttpMethod.Get, "/v1/queues", cancel);

    public Task DeleteAsync(string mediaId, CancellationToken cancel) =>
        SendAsync(HttpMethod.Delete, MediaPath(mediaId), cancel);

    /// <returns>The media as it stands now, no longer failed.</returns>
    public Task<JsonElement> RetryAsync(string mediaId, CancellationToken cancel) =>
        SendAsync(HttpMethod.Post, $"{MediaPath(mediaId)}/retry", cancel);

    /// <returns>The server's own document, with the secret.</returns>
    public Task<JsonElement> CreateTokenAsync(TokenRequest token, CancellationToken cancel) =>
        SendAsync(HttpMethod.Post, "/v1/tokens", cancel, JsonContent.Create(token, options: Wire.Json));

    public Task<JsonElement> ListTokensAsync(CancellationToken cancel) =>
        SendAsync(HttpMethod.Get, "/v1/tokens", cancel);

    public Task RevokeTokenAsync(string tokenId, CancellationToken cancel) =>
        SendAsync(HttpMethod.Delete, $"/v1/tokens/{Uri.EscapeDataString(tokenId)}", cancel);

    public void Dispose() => Http.Dispose();

    /// <summary>What the server said no with, in its own words.</summary>
    public async Task<CliException> RefusalAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        Problem? problem = null;
        try
        {
            problem = await answer.Content.ReadFromJsonAsync<Problem>(Wire.Json, cancel);
        }
        catch (Exception notOurs) when (notOurs is JsonException or NotSupportedException or HttpRequestException)
        {
            // An answer without problem details is a proxy's, or another server's: its status is all there is to say.
        }

        var words = problem?.Detail ?? problem?.Title
            ?? $"{answer.RequestMessage?.RequestUri} answered {(int)answer.StatusCode} {answer.ReasonPhrase}. "
            + $"Is {UrlVariable} a Hexcast server?";
        if (problem?.Code is { } code)
        {
            words = $"{words} ({code})";
        }

        return new CliException(
            answer.StatusCode switch
            {
                HttpStatusCode.NotFound or HttpStatusCode.Gone => ExitCode.NotFound,
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ExitCode.Refused,
                _ => ExitCode.Failed,
            },
            answer.StatusCode == HttpStatusCode.Unauthorized
                ? $"{words}{Environment.NewLine}{Tokens.Hint(token, Address)}" : words);
    }

    public CliException Unreachable(Exception cause) => cause.InnerException is AuthenticationException untrusted
        ? new(
            ExitCode.NoServer,
            $"{Address.GetLeftPart(UriPartial.Authority)} shows a certificate that is not trusted here "
            + $"({untrusted.Message.TrimEnd('.')}). Set SSL_CERT_FILE to the PEM file of its authority, "
            + "or of the certificate itself where it is self-signed.",
            cause)
        : new(
            ExitCode.NoServer,
            $"no answer from {Address.GetLeftPart(UriPartial.Authority)} "
            + $"({cause.GetBaseException().Message.TrimEnd('.')}). "
            + (SpeaksOtherwise(cause) ? $"If it speaks TLS, set {UrlVariable} to its https:// address. " : "")
            + $"Start one with ./hexcast serve, or set {UrlVariable} to where it runs.",
            cause);

    /// <summary>Somebody took the connection and did not answer in HTTP.</summary>
    private bool SpeaksOtherwise(Exception cause) =>
        Address.Scheme == Uri.UriSchemeHttp && cause is HttpRequestException { InnerException: IOException };

    private static string DrainPath(string nodeId) => $"/v1/nodes/{Uri.EscapeDataString(nodeId)}/drain";

    private static string MediaPath(string mediaId) => $"/v1/media/{Uri.EscapeDataString(mediaId)}";

    private async Task<JsonElement> SendAsync(
        HttpMethod method, string path, CancellationToken cancel, HttpContent? body = null)
    {
        using var limit = new CancellationTokenSource(AnswerTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        try
        {
            using var request = new HttpRequestMessage(method, path) { Content = body };
            using var answer = await Http.SendAsync(request, either.Token);
            if (!answer.IsSuccessStatusCode)
            {
                throw await RefusalAsync(answer, either.Token);
            }

            return answer.StatusCode == HttpStatusCode.NoContent || answer.Content.Headers.ContentLength == 0
                ? default
                : await answer.Content.ReadFromJsonAsync<JsonElement>(Wire.Json, either.Token);
        }
        catch (HttpRequestException lost)
        {
            throw Unreachable(lost);
        }
        catch (JsonException notOurs)
        {
            throw new CliException(
                ExitCode.Failed, $"{Address} does not answer as Hexcast does. Is {UrlVariable} right?", notOurs);
        }
        catch (OperationCanceledException late) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw Unreachable(late);
        }
    }

    private static T Parse<T>(JsonElement element) =>
        element.Deserialize<T>(Wire.Json)
        ?? throw new CliException(ExitCode.Failed, "the server answered with nothing where a media was expected.");
}
