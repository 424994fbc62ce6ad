using System.Globalization;
using Hexcast.App.Cli;
using Hexcast.App.Client;

namespace Hexcast.App.Progress;

/// <summary>What came of a media, with the times since this process sent its first byte, if it was the one.</summary>
internal sealed record Outcome(MediaDocument Media, TimeSpan? TimeToPlayable, TimeSpan? TimeToReady)
{
    /// <summary>Media seconds made ready in a second of waiting.</summary>
    public double? TimesRealtime => Media.Source is { DurationSeconds: > 0 } source && TimeToReady is { } time
        ? source.DurationSeconds / time.TotalSeconds : null;
}

/// <summary>Follows one media to its end and says what happens on the way.</summary>
internal sealed class MediaFollower(HexcastClient client, TimeProvider clock, StageView view)
{
    private readonly StageProgress progress = new();

    public async Task<string> UploadAsync(UploadRequest request, CancellationToken cancel) =>
        await new TusUpload(client, clock).RunAsync(
            request,
            (done, all) =>
            {
                progress.Uploaded(done, all);
                view.Show(progress);
            },
            cancel);

    /// <summary>Until the media is ready.</summary>
    /// <param name="since">The clock's timestamp that times count from; null where the beginning was not seen.</param>
    /// <exception cref="CliException">The media failed; the message has the worker's own words.</exception>
    public async Task<Outcome> UntilReadyAsync(string mediaId, long? since, CancellationToken cancel)
    {
        var playable = false;
        TimeSpan? toPlayable = null;
        await foreach (var happened in client.WatchAsync(mediaId, Waiting, cancel))
        {
            progress.Apply(happened);
            view.Show(progress);
            if (happened.Media is not { } media)
            {
                continue;
            }

            if (media.IsFailed)
            {
                throw Failure(media);
            }

            if (media.IsPlayable && !playable)
            {
                playable = true;
                toPlayable = Elapsed(since);
                view.Say($"playable{After(toPlayable)}: {client.WatchAddress(media)}");
            }

            if (media.IsReady)
            {
                return new Outcome(media, toPlayable, Elapsed(since));
            }
        }

        throw new InvalidOperationException("A media's events do not end.");
    }

    private void Waiting(CliException away) => view.Say($"waiting: {away.Message}");

    public static CliException Failure(MediaDocument media)
    {
        var why = media.Error is { } error ? $"{error.Message} ({error.Code})" : "the server gives no reason.";
        var log = string.IsNullOrWhiteSpace(media.Error?.LogTail) ? "" : $"\n{media.Error.LogTail.TrimEnd()}";
        // What is wrong with the source itself stays wrong.
        var next = media.Error?.Code?.StartsWith("source_", StringComparison.Ordinal) == true
            ? "" : $"\nRun its job again: ./hexcast retry {media.MediaId}";
        return new CliException(ExitCode.MediaFailed, $"{media.MediaId} failed: {why}{log}{next}");
    }

    public static string After(TimeSpan? time) => time is { } known ? $" after {Seconds(known)}" : "";

    public static string Seconds(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");

    private TimeSpan? Elapsed(long? since) => since is { } start ? clock.GetElapsedTime(start) : null;
}
