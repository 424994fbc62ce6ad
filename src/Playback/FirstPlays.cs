using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using Hexcast.Playback.Versions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Playback;

/// <summary>The first request for a version that this node has seen.</summary>
internal sealed record FirstPlay(PlayableVersion Version, string What, DateTimeOffset Began, TimeSpan Took);

/// <summary>
/// Tells Catalog of versions that are played for the first time, so that of all nodes and lives one puts it into the
/// upload's trace. Beside the requests: none of them waits for it.
/// </summary>
internal sealed class FirstPlays(
    Wire.Catalog.CatalogClient catalog, TimeProvider clock, ILogger<FirstPlays> log) : BackgroundService
{
    /// <summary>Versions that wait to be told of; more are told of when they are asked for again.</summary>
    private const int QueueLimit = 256;

    /// <summary>Versions that need not be told of again; above it all are forgotten and asked about anew.</summary>
    private const int SeenLimit = 10_000;

    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);

    /// <summary>After a failure nothing is told for so long, however many requests come.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, bool> seen = new(StringComparer.Ordinal);
    private readonly Channel<FirstPlay> queue = Channel.CreateBounded<FirstPlay>(
        new BoundedChannelOptions(QueueLimit) { SingleReader = true });

    private long pausedAt;

    public void Note(PlayableVersion version, string what, TimeSpan took)
    {
        if (version.Played || IsPaused || !seen.TryAdd(version.Version, true))
        {
            return;
        }

        if (!queue.Writer.TryWrite(new FirstPlay(version, what, clock.GetUtcNow() - took, took)))
        {
            seen.TryRemove(version.Version, out _);
        }
    }

    private bool IsPaused =>
        Volatile.Read(ref pausedAt) is not 0 and var since && clock.GetElapsedTime(since) < Pause;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var play in queue.Reader.ReadAllAsync(stoppingToken))
            {
                await TellAsync(play, stoppingToken);
                if (seen.Count > SeenLimit)
                {
                    seen.Clear();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task TellAsync(FirstPlay play, CancellationToken cancel)
    {
        try
        {
            var answer = await catalog.NotePlayAsync(
                new Wire.NotePlayRequest { Version = play.Version.Version },
                deadline: clock.GetUtcNow().UtcDateTime + CallLimit,
                cancellationToken: cancel);
            if (answer.First)
            {
                PlaybackTelemetry.NoteFirst(play);
            }
        }
        catch (RpcException failure)
        {
            // Playing does not depend on it; a later request for the version tries again.
            seen.TryRemove(play.Version.Version, out _);
            Volatile.Write(ref pausedAt, clock.GetTimestamp());
            log.LogDebug(
                "The first play of {MediaId} is not noted: {Status}", play.Version.MediaId, failure.StatusCode);
        }
    }
}
