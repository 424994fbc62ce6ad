using System.Globalization;
using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Catalog.Http;

/// <summary>GET, PATCH, DELETE and retry of media.</summary>
internal sealed class MediaEndpoints(
    CatalogStore store, MediaCommands commands, Scheduler.SchedulerClient scheduler, TimeProvider clock)
{
    public const int EditSizeLimitBytes = 64 * 1024;
    private const string ExpectedEdit = "a JSON object with title, tags or policy";
    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];
    private static readonly TimeSpan JobLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryLimit = TimeSpan.FromSeconds(10);

    public static void Map(IEndpointRouteBuilder http)
    {
        var endpoints = http.ServiceProvider.GetRequiredService<MediaEndpoints>();
        var events = http.ServiceProvider.GetRequiredService<MediaEvents>();
        http.MapMethods("/v1/media", Reading, endpoints.ListAsync)
            .Describe(ApiGroup.Media, "List media", MediaOperations.List)
            .RequireScope(Scope.Read);
        http.MapMethods("/v1/media/{media_id}", Reading, endpoints.GetAsync)
            .Describe(ApiGroup.Media, "Show a media", MediaOperations.Show)
            .RequireScope(Scope.Read);
        http.MapPatch("/v1/media/{media_id}", endpoints.EditAsync)
            .Describe(ApiGroup.Media, "Change a media", MediaOperations.Change)
            .RequireScope(Scope.Admin).Audited("media.change");
        http.MapDelete("/v1/media/{media_id}", endpoints.DeleteAsync)
            .Describe(ApiGroup.Media, "Delete a media", MediaOperations.Delete)
            .RequireScope(Scope.Admin).Audited("media.delete");
        http.MapPost("/v1/media/{media_id}/retry", endpoints.RetryAsync)
            .Describe(ApiGroup.Media, "Retry a media", MediaOperations.Retry)
            .RequireScope(Scope.Admin).Audited("media.retry");
        http.MapGet("/v1/media/{media_id}/events", events.StreamAsync)
            .Describe(ApiGroup.Media, "Follow a media", MediaOperations.Follow)
            .RequireScope(Scope.Read);
        http.MapGet("/v1/events", http.ServiceProvider.GetRequiredService<LibraryEvents>().StreamAsync)
            .Describe(ApiGroup.Media, "Follow all media", MediaOperations.FollowAll)
            .RequireScope(Scope.Read);
    }

    private async Task ListAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var asked = MediaQuery.Judge(
            query["q"].ToString(), query["state"].ToString(), query["tag"].OfType<string>(),
            Limit(query["limit"].ToString()), query["cursor"].ToString(), context.Principal().Tenant);
        var page = store.Read(connection =>
        {
            var (rows, next) = asked.Read(connection);
            return new MediaPageAnswer
            {
                Media = [.. rows.Select(row => row.ToAnswer(connection))],
                NextCursor = next,
            };
        });
        await AnswerAsync(context, page);
    }

    private async Task GetAsync(HttpContext context, [FromRoute(Name = "media_id")] string id)
    {
        var media = Find(context, id);
        var job = await JobAsync(media, context.RequestAborted);
        Tag(context, media);
        await AnswerAsync(context, MediaWithJobAnswer.Of(Describe(media), job));
    }

    private async Task EditAsync(HttpContext context, [FromRoute(Name = "media_id")] string id)
    {
        Find(context, id);
        var edit = await JsonBody.ReadAsync<MediaEdit>(context.Request, EditSizeLimitBytes, ExpectedEdit);
        var media = await commands.EditAsync(id, edit, IfMatch(context.Request), context.RequestAborted);
        Tag(context, media);
        await AnswerAsync(context, Describe(media));
    }

    private async Task DeleteAsync(HttpContext context, [FromRoute(Name = "media_id")] string id)
    {
        Find(context, id);
        await commands.DeleteAsync(id, IfMatch(context.Request), context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task RetryAsync(HttpContext context, [FromRoute(Name = "media_id")] string id)
    {
        var media = Find(context, id);
        if (media.State != MediaState.Failed)
        {
            throw new HexcastException(
                ErrorCodes.Conflict, $"The media is {media.State.Name()}: only a failed one can be retried.");
        }

        media = (media.JobId is { } job ? await RestartAsync(id, job, context.RequestAborted) : null)
            ?? await commands.OrderAgainAsync(id, media.JobId, context.RequestAborted);
        Tag(context, media);
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        await AnswerAsync(context, Describe(media));
    }

    // Null when the master does not know the job: then the media is ordered anew.
    private async Task<MediaRow?> RestartAsync(string mediaId, string jobId, CancellationToken cancel)
    {
        var cursor = await commands.FollowAgainAsync(jobId, cancel);
        try
        {
            await scheduler.RetryJobAsync(
                new RetryJobRequest { JobId = jobId },
                deadline: (clock.GetUtcNow() + RetryLimit).UtcDateTime,
                cancellationToken: cancel);
        }
        catch (RpcException unknown) when (unknown.StatusCode == StatusCode.NotFound)
        {
            return null;
        }

        return await commands.RestartAsync(mediaId, jobId, cursor, cancel);
    }

    // Only a picture of the moment: without the master there is simply none.
    private async Task<JobAnswer?> JobAsync(MediaRow media, CancellationToken cancel)
    {
        if (media.JobId is null)
        {
            return null;
        }

        try
        {
            var job = await scheduler.GetJobAsync(
                new GetJobRequest { JobId = media.JobId },
                deadline: (clock.GetUtcNow() + JobLimit).UtcDateTime,
                cancellationToken: cancel);
            return job.ToAnswer();
        }
        catch (RpcException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    private MediaRow Find(HttpContext context, string id) => store.FindFor(context.Principal(), id);

    private MediaAnswer Describe(MediaRow media) => store.Read(connection => media.ToAnswer(connection));

    private static void Tag(HttpContext context, MediaRow media) =>
        context.Response.Headers.ETag = $"\"{media.RowVersion}\"";

    private static Task AnswerAsync<T>(HttpContext context, T answer)
    {
        context.Response.Headers.CacheControl = "no-cache";
        return context.Response.WriteAsJsonAsync(answer, context.RequestAborted);
    }

    private static long? IfMatch(HttpRequest request) => request.Headers.IfMatch.ToString().Trim() switch
    {
        "" or "*" => null,
        ['"', .. var digits, '"'] when long.TryParse(
            digits, NumberStyles.None, CultureInfo.InvariantCulture, out var version) => version,
        // RFC 9110, 13.1.1: a tag that was never given matches nothing.
        _ => -1,
    };

    private static int Limit(string text) =>
        text.Length == 0 ? MediaQuery.DefaultLimit
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit
        : -1;
}
