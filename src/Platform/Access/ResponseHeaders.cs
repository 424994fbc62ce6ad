using Hexcast.Platform.Tls;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Access;

/// <summary>What every answer says to the browser that shows it; the one place for it.</summary>
internal sealed class ResponseHeaders(TlsOptions tls)
{
    // The player feeds the video element from memory ("blob:") and may parse in a worker made of one.
    private const string OwnFilesOnly =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
        "media-src 'self' blob:; connect-src 'self'; font-src 'self'; worker-src 'self' blob:; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors ";

    private const string Page = OwnFilesOnly + "'none'", EmbeddablePage = OwnFilesOnly + "*";

    private readonly string strictTransport = FormattableString.Invariant($"max-age={tls.HstsMaxAge.TotalSeconds:0}");

    /// <summary>Before the endpoint runs: it may still say otherwise.</summary>
    public void Set(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        // RFC 6797, 7.2: not without TLS. On a developer's machine it would bind every other server there too.
        if (context.Request.IsHttps && context.Request.Host.Host != "localhost")
        {
            headers.StrictTransportSecurity = strictTransport;
        }

        if (context.GetEndpoint()?.Metadata.GetMetadata<PageRule>() is not null)
        {
            SetPage(context);
        }
    }

    /// <summary>For a page, also one that stands where no endpoint is.</summary>
    public static void SetPage(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy =
            context.GetEndpoint()?.Metadata.GetMetadata<PageRule>() is { Embeddable: true } ? EmbeddablePage : Page;
        // A playback token may stand in a page's address; no other site is told of it.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
    }
}
