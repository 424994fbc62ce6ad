using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Access;

/// <summary>
/// Whether a page of this very server made the request. Browsers say so in Sec-Fetch-Site (Fetch Metadata) where the
/// connection is one that they trust, and in Origin (RFC 6454) with every unsafe method; a page cannot set either.
/// </summary>
public static class SameOrigin
{
    /// <summary>RFC 9110, 9.2.1, without TRACE, which nothing here answers.</summary>
    public static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);

    /// <summary>The browser vouches for it. A request that says nothing is not vouched for.</summary>
    public static bool IsProven(HttpRequest request) => Verdict(request) == true;

    /// <summary>The browser says that another site made it.</summary>
    public static bool IsDenied(HttpRequest request) => Verdict(request) == false;

    private static bool? Verdict(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"];
        if (site.Count > 0)
        {
            return site is ["same-origin"];
        }

        var origin = request.Headers.Origin;
        return origin.Count == 0 ? null : origin is [{ } text] && IsOwn(text, request);
    }

    private static bool IsOwn(string origin, HttpRequest request) =>
        string.Equals(origin, $"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);
}
