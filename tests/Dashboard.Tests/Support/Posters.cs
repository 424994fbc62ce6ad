using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Dashboard.Tests.Support;

/// <summary>A picture for each media, drawn from its id: hills under a sky.</summary>
internal static class Posters
{
    public static void Map(IEndpointRouteBuilder http) =>
        http.MapGet("/play/{id}/poster.jpg", (string id) => Results.Text(Draw(id), "image/svg+xml"));

    private static string Draw(string id)
    {
        var hue = id.Sum(c => c) * 47 % 360;
        return string.Create(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 270">
            <rect width="480" height="270" fill="hsl({hue} 45% 72%)"/>
            <circle cx="{90 + (hue % 300)}" cy="{60 + (hue % 50)}" r="34" fill="hsl({hue + 40} 80% 88%)"/>
            <path d="M0 190 Q120 {90 + (hue % 60)} 260 180 T480 150 V270 H0Z" fill="hsl({hue + 20} 38% 46%)"/>
            <path d="M0 230 Q160 {150 + (hue % 40)} 300 225 T480 205 V270 H0Z" fill="hsl({hue + 30} 42% 28%)"/>
            </svg>
            """);
    }
}
