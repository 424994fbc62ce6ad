using Hexcast.Catalog.Subtitles;
using Hexcast.Media.Planning;
using Hexcast.Media.Subtitles;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Catalog.Http;

/// <summary>PUT and DELETE of text tracks that people upload beside a media.</summary>
internal sealed class SubtitleEndpoints(CatalogStore store, SubtitleCommands commands)
{
    public static void Map(IEndpointRouteBuilder http)
    {
        var endpoints = http.ServiceProvider.GetRequiredService<SubtitleEndpoints>();
        http.MapPut("/v1/media/{media_id}/subtitles/{language}", endpoints.PutAsync)
            .Describe(ApiGroup.Media, "Upload subtitles", MediaOperations.PutSubtitles)
            .RequireScope(Scope.Admin).Audited("media.subtitles");
        http.MapDelete("/v1/media/{media_id}/subtitles/{language}", endpoints.DeleteAsync)
            .Describe(ApiGroup.Media, "Delete subtitles", MediaOperations.DeleteSubtitles)
            .RequireScope(Scope.Admin).Audited("media.subtitles");
    }

    private async Task PutAsync(
        HttpContext context, [FromRoute(Name = "media_id")] string id, [FromRoute(Name = "language")] string language)
    {
        store.FindFor(context.Principal(), id);
        var query = context.Request.Query;
        var label = query["label"].ToString();
        if (SubtitlePlans.Label(label) != label)
        {
            throw Bad($"label is one line of at most {SubtitlePlans.MaxLabelChars} characters without quotes.");
        }

        var isDefault = query["default"].ToString() switch
        {
            "" or "false" => false,
            "true" => true,
            _ => throw Bad("default is true or false."),
        };
        var media = await commands.PutAsync(
            id, language, label, isDefault, await ReadAsync(context), context.RequestAborted);
        context.Response.Headers.ETag = $"\"{media.RowVersion}\"";
        context.Response.Headers.CacheControl = "no-cache";
        await context.Response.WriteAsJsonAsync(
            store.Read(connection => media.ToAnswer(connection)), context.RequestAborted);
    }

    private async Task DeleteAsync(
        HttpContext context, [FromRoute(Name = "media_id")] string id, [FromRoute(Name = "language")] string language)
    {
        store.FindFor(context.Principal(), id);
        await commands.DeleteAsync(id, language, context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength is > SubtitleText.MaxBytes)
        {
            throw TooLarge();
        }

        using var body = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            body.Write(buffer, 0, read);
            if (body.Length > SubtitleText.MaxBytes)
            {
                throw TooLarge();
            }
        }

        return body.ToArray();
    }

    private static HexcastException TooLarge() =>
        new(ErrorCodes.TooLarge, $"Subtitles have at most {SubtitleText.MaxBytes} bytes.");

    private static HexcastException Bad(string message) => new(ErrorCodes.InvalidArgument, message);
}
