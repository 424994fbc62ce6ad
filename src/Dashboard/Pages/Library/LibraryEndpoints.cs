using Grpc.Core;
using Hexcast.Dashboard.Rendering;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Pages.Library;

/// <summary>GET /: the library. GET /library/cards?id=…: some of its cards anew, for the page's script.</summary>
internal sealed class LibraryEndpoints(
    Wire.Catalog.CatalogClient catalog,
    Wire.Playback.PlaybackClient playback,
    PageRenderer renderer,
    TimeProvider clock)
{
    private const int PageSize = 24;
    private const int CardLimit = 50;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public void Map(IEndpointRouteBuilder http)
    {
        http.MapGet("/", ShowAsync).RequireScope(Scope.Read).Page()
            .DescribePage("Show the library", page => page.Answers(503, "a page that says so", "text/html"));
        http.MapGet("/library/cards", ShowCardsAsync).RequireScope(Scope.Read).ExcludeFromDescription();
    }

    private async Task ShowAsync(HttpContext context)
    {
        var filter = Filter(context.Request.Query);
        var (view, status) = await ReadAsync(filter, context.Principal(), context.RequestAborted);
        await renderer.AnswerAsync<LibraryPage>(
            context, new() { [nameof(LibraryPage.View)] = view }, status);
    }

    private async Task ShowCardsAsync(HttpContext context)
    {
        var request = new Wire.ListMediaRequest { Tenant = context.Principal().Tenant ?? "" };
        request.MediaIds.AddRange(context.Request.Query["id"].OfType<string>().Take(CardLimit));
        var page = request.MediaIds.Count == 0
            ? new Wire.ListMediaResponse()
            : await ListAsync(request, context.RequestAborted);
        await renderer.AnswerAsync<MediaCards>(
            context, new() { [nameof(MediaCards.Media)] = await CardsAsync(page, context.RequestAborted) });
    }

    private async Task<(LibraryView View, int Status)> ReadAsync(
        LibraryFilter filter, Principal principal, CancellationToken cancel)
    {
        var request = new Wire.ListMediaRequest
        {
            Query = filter.Query,
            State = filter.State,
            Cursor = filter.Cursor,
            Limit = PageSize,
            Tenant = principal.Tenant ?? "",
        };
        request.Tags.AddRange(filter.Tags);
        try
        {
            var page = await ListAsync(request, cancel);
            return (new LibraryView
            {
                Filter = filter,
                Media = await CardsAsync(page, cancel),
                NextCursor = page.NextCursor.Length == 0 ? null : page.NextCursor,
            }, StatusCodes.Status200OK);
        }
        catch (RpcException failure) when (!cancel.IsCancellationRequested)
        {
            var known = GrpcErrors.Unwrap(failure);
            var words = known.Code is ErrorCodes.Unavailable or ErrorCodes.DeadlineExceeded
                ? "The catalogue does not answer at the moment. What is uploaded is safe."
                : known.Message;
            return (new LibraryView { Filter = filter, Trouble = words }, ErrorCodes.HttpStatus(known.Code));
        }
    }

    private async Task<Wire.ListMediaResponse> ListAsync(Wire.ListMediaRequest request, CancellationToken cancel) =>
        await catalog.ListMediaAsync(request, deadline: Deadline, cancellationToken: cancel);

    private DateTime Deadline => (clock.GetUtcNow() + Limit).UtcDateTime;

    private static LibraryFilter Filter(IQueryCollection query) => new()
    {
        Query = query["q"].ToString().Trim(),
        State = query["state"].ToString(),
        Tags = [.. query["tag"].OfType<string>().Select(tag => tag.Trim()).Where(tag => tag.Length > 0)],
        Cursor = query["cursor"].ToString(),
    };

    private async Task<IReadOnlyList<MediaCardView>> CardsAsync(
        Wire.ListMediaResponse page, CancellationToken cancel) =>
        await Task.WhenAll(page.Media.Select(async listed => Card(listed, await PosterAsync(listed, cancel))));

    /// <summary>A signed one has a token; a library without some pictures is better than none.</summary>
    private async Task<string?> PosterAsync(Wire.ListedMedia listed, CancellationToken cancel)
    {
        if (!listed.HasPoster)
        {
            return null;
        }

        var mediaId = listed.Media.MediaId;
        if (!IsSigned(listed))
        {
            return $"/play/{mediaId}/poster.jpg";
        }

        try
        {
            var links = await playback.GetLinksAsync(
                new Wire.GetLinksRequest { MediaId = mediaId, Vouched = true },
                deadline: Deadline, cancellationToken: cancel);
            return links.Poster;
        }
        catch (RpcException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    private static bool IsSigned(Wire.ListedMedia listed) => listed.Media.Policy == "signed";

    private static MediaCardView Card(Wire.ListedMedia listed, string? poster)
    {
        var media = listed.Media;
        return new MediaCardView
        {
            MediaId = media.MediaId,
            Title = FirstOf(media.Title, media.Filename, media.MediaId),
            State = media.State switch
            {
                Wire.MediaState.Processing => "processing",
                Wire.MediaState.Playable => "playable",
                Wire.MediaState.Ready => "ready",
                Wire.MediaState.Failed => "failed",
                _ => "uploaded",
            },
            SizeBytes = media.SizeBytes,
            DurationSeconds = media.DurationSeconds,
            CreatedAt = media.CreatedAt.ToDateTimeOffset(),
            Tags = [.. media.Tags],
            Signed = IsSigned(listed),
            Poster = poster,
            ErrorCode = media.Error?.Code,
            ErrorMessage = media.Error?.Message,
            Fraction = listed.Fraction,
            Stage = listed.Stage,
        };
    }

    private static string FirstOf(params ReadOnlySpan<string> candidates)
    {
        foreach (var candidate in candidates)
        {
            if (!string.IsNullOrWhiteSpace(candidate))
            {
                return candidate;
            }
        }

        return "";
    }
}
