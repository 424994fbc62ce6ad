using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;

namespace Hexcast.Playback.Tests.Support;

/// <summary>The other side of the wall: media and indexes as a test sets them, and changes when it says so.</summary>
internal sealed class FakeCatalog : Contracts.V1.Catalog.CatalogBase
{
    private readonly ConcurrentDictionary<string, MediaRecord> media = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, VersionIndex> indexes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Channel<MediaChange>, bool> followers = [];
    private long sequence = 100;
    private int indexCalls;

    /// <summary>Thrown at every call of GetVersionIndex while set.</summary>
    public HexcastException? Failure { get; set; }

    /// <summary>False: WatchMedia ends at once, as while Catalog is away.</summary>
    public bool TellsChanges { get; set; } = true;

    public int IndexCalls => Volatile.Read(ref indexCalls);

    public int Followers => followers.Count;

    /// <summary>Versions that were told to be played, as often as they were.</summary>
    public ConcurrentQueue<string> Plays { get; } = new();

    /// <summary>NotePlay fails after having counted.</summary>
    public bool RefusesPlays { get; set; }

    public void Set(MediaRecord record) => media[record.MediaId] = record;

    public void Set(VersionIndex index) => indexes[index.MediaId] = index;

    public void Remove(string mediaId)
    {
        media.TryRemove(mediaId, out _);
        indexes.TryRemove(mediaId, out _);
    }

    public void TellChange(string mediaId, MediaChange.Types.Kind kind = MediaChange.Types.Kind.Changed)
    {
        var change = new MediaChange { Sequence = Interlocked.Increment(ref sequence), MediaId = mediaId, Kind = kind };
        foreach (var follower in followers.Keys)
        {
            follower.Writer.TryWrite(change);
        }
    }

    public void CutFollowers()
    {
        foreach (var follower in followers.Keys)
        {
            follower.Writer.TryComplete();
        }
    }

    public MediaRecord? Find(string mediaId) => media.GetValueOrDefault(mediaId);

    public override Task<MediaRecord> GetMedia(GetMediaRequest request, ServerCallContext context) =>
        Task.FromResult(
            Find(request.MediaId) ?? throw new HexcastException(ErrorCodes.NotFound, "There is no such media."));

    /// <summary>What ListMedia says beside the record.</summary>
    public Action<ListedMedia> Describe { get; set; } = _ => { };

    public override Task<ListMediaResponse> ListMedia(ListMediaRequest request, ServerCallContext context)
    {
        var response = new ListMediaResponse();
        foreach (var record in request.MediaIds.Select(Find).OfType<MediaRecord>())
        {
            var listed = new ListedMedia { Media = record };
            Describe(listed);
            response.Media.Add(listed);
        }

        return Task.FromResult(response);
    }

    public override Task<VersionIndex> GetVersionIndex(GetVersionIndexRequest request, ServerCallContext context)
    {
        Interlocked.Increment(ref indexCalls);
        if (Failure is { } failure)
        {
            throw new HexcastException(failure.Code, failure.Message);
        }

        return indexes.TryGetValue(request.MediaId, out var index)
            ? Task.FromResult(index)
            : throw new HexcastException(ErrorCodes.NotPlayable, "There is nothing to play yet.");
    }

    public override Task<NotePlayResponse> NotePlay(NotePlayRequest request, ServerCallContext context)
    {
        var first = !Plays.Contains(request.Version);
        Plays.Enqueue(request.Version);
        return RefusesPlays
            ? throw new HexcastException(ErrorCodes.Unavailable, "Not now.")
            : Task.FromResult(new NotePlayResponse { First = first });
    }

    public override async Task WatchMedia(
        WatchMediaRequest request, IServerStreamWriter<MediaChange> responseStream, ServerCallContext context)
    {
        if (!TellsChanges)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "Catalog is away."));
        }

        var changes = Channel.CreateUnbounded<MediaChange>();
        followers[changes] = true;
        try
        {
            await responseStream.WriteAsync(
                new MediaChange { Sequence = sequence, Kind = MediaChange.Types.Kind.Started });
            await foreach (var change in changes.Reader.ReadAllAsync(context.CancellationToken))
            {
                await responseStream.WriteAsync(change);
            }
        }
        finally
        {
            followers.TryRemove(changes, out _);
        }
    }
}
