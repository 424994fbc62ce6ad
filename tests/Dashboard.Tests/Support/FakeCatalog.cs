using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;

namespace Hexcast.Dashboard.Tests.Support;

/// <summary>A catalogue with what the test puts into it.</summary>
internal sealed class FakeCatalog : Contracts.V1.Catalog.CatalogBase
{
    private readonly Lock turn = new();
    private readonly List<ListedMedia> media = [];
    private int count;

    /// <summary>What every call is answered with instead.</summary>
    public StatusCode Refusal { get; set; }

    public ConcurrentQueue<CompleteUploadRequest> Completed { get; } = [];

    public ListMediaRequest? LastRequest { get; private set; }

    public ListedMedia Put(string title, MediaState state, Action<ListedMedia>? change = null)
    {
        lock (turn)
        {
            var listed = new ListedMedia
            {
                Media = new MediaRecord
                {
                    MediaId = $"01kb{count:d22}",
                    Title = title,
                    Filename = "file.mp4",
                    State = state,
                    Policy = "public",
                    SizeBytes = 48_300_000,
                    CreatedAt = Timestamp.FromDateTimeOffset(
                        new DateTimeOffset(2026, 11, 22, 9, 30, 0, TimeSpan.Zero).AddMinutes(37 * count)),
                },
            };
            change?.Invoke(listed);
            media.Add(listed);
            count++;
            return listed;
        }
    }

    public void Remove(ListedMedia gone)
    {
        lock (turn)
        {
            media.Remove(gone);
        }
    }

    public override Task<CompleteUploadResponse> CompleteUpload(
        CompleteUploadRequest request, ServerCallContext context)
    {
        Completed.Enqueue(request);
        return Task.FromResult(new CompleteUploadResponse { Media = new MediaRecord { MediaId = request.MediaId } });
    }

    public override Task<ListMediaResponse> ListMedia(ListMediaRequest request, ServerCallContext context)
    {
        if (Refusal != StatusCode.OK)
        {
            throw new RpcException(new Status(Refusal, "The catalogue is away."));
        }

        if (request.State == "nonsense")
        {
            throw new HexcastException(ErrorCodes.InvalidArgument, "state 'nonsense' is not known.");
        }

        lock (turn)
        {
            LastRequest = request;
            var ids = request.MediaIds.ToHashSet(StringComparer.Ordinal);
            var found = media.AsEnumerable().Reverse()
                .Where(m => ids.Count == 0 || ids.Contains(m.Media.MediaId))
                .Where(m => m.Media.Title.Contains(request.Query, StringComparison.OrdinalIgnoreCase))
                .Where(m => request.State.Length == 0 || StateOf(m) == request.State)
                .Where(m => request.Tags.All(m.Media.Tags.Contains))
                .SkipWhile(m => request.Cursor.Length > 0 && m.Media.MediaId != request.Cursor)
                .Skip(request.Cursor.Length > 0 ? 1 : 0).ToList();
            var response = new ListMediaResponse();
            response.Media.AddRange(found.Take(request.Limit == 0 ? 50 : request.Limit));
            response.NextCursor = found.Count > response.Media.Count ? response.Media[^1].Media.MediaId : "";
            return Task.FromResult(response);
        }
    }

    private static string StateOf(ListedMedia listed) => listed.Media.State.ToString().ToLowerInvariant();
}
