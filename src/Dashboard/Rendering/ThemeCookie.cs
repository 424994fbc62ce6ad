using Hexcast.Platform.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Dashboard.Rendering;

/// <summary>
/// Light or dark by the viewer's choice. It is a cookie so that the server's first byte has it: nothing flashes, and it
/// works without script. Without one the device decides.
/// </summary>
internal static class ThemeCookie
{
    private const string Name = "hexcast_theme";
    private const int FormSizeLimitBytes = 4096;
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);

    public static Theme Read(HttpRequest request) => Parse(request.Cookies[Name]);

    public static void Map(IEndpointRouteBuilder http) =>
        http.MapPost("/theme", ChooseAsync).AllowAnyone().ExcludeFromDescription();

    private static async Task ChooseAsync(HttpContext context)
    {
        var request = context.Request;
        if (!request.HasFormContentType || request.ContentLength is null or > FormSizeLimitBytes)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        var form = await request.ReadFormAsync(context.RequestAborted);
        var theme = Parse(form["theme"]);
        var options = new CookieOptions
        {
            MaxAge = theme == Theme.System ? TimeSpan.Zero : Lifetime,
            SameSite = SameSiteMode.Lax,
            Secure = request.IsHttps,
            Path = "/",
        };
        context.Response.Cookies.Append(Name, NameOf(theme), options);
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = LocalPath.OrHome(form["next"]);
    }

    /// <summary>As it stands in the cookie, the form and the page's data-theme.</summary>
    public static string NameOf(Theme theme) => theme switch
    {
        Theme.Light => "light",
        Theme.Dark => "dark",
        _ => "system",
    };

    private static Theme Parse(string? name) => name switch
    {
        "light" => Theme.Light,
        "dark" => Theme.Dark,
        _ => Theme.System,
    };
}
