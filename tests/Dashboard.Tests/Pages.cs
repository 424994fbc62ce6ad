namespace Hexcast.Dashboard.Tests;

/// <summary>Every page that one can open without knowing a media.</summary>
internal static class Pages
{
    public static readonly string[] All =
        ["/", "/upload", "/sign-in", "/nodes", "/settings", "/settings/tokens", "/settings/audit"];
}
