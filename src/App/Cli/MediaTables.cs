using System.Globalization;
using Hexcast.App.Client;
using Hexcast.App.Progress;

namespace Hexcast.App.Cli;

/// <summary>How media look to a person.</summary>
internal static class MediaTables
{
    public static void List(Output output, IReadOnlyList<MediaDocument> media)
    {
        var table = new Columns("media", "state", "length", "size", "title");
        foreach (var one in media)
        {
            table.Add(one.MediaId, one.State, Length(one), Bytes(one.SizeBytes), one.Name);
        }

        output.Words.Write(table);
    }

    public static void One(Output output, MediaDocument media, string watchAddress)
    {
        var table = new Columns();
        table.Add("media", media.MediaId);
        table.Add("title", media.Name);
        table.Add("state", media.State);
        if (media.IsPlayable)
        {
            table.Add("watch", watchAddress);
        }

        if (media.Source is { } source)
        {
            var picture = Invariant($"{source.VideoCodec} {source.Width}x{source.Height}")
                + Invariant($", {source.FrameRate:0.###} frames/s");
            var length = Invariant($"{source.DurationSeconds:0.0} s, {source.Frames} frames");
            table.Add("source", $"{source.Container}, {picture}, {source.AudioCodec ?? "no audio"}, {length}");
        }

        table.Add("file", $"{media.Filename}, {Bytes(media.SizeBytes)}");
        table.Add("sha256", media.Sha256 ?? "");
        table.Add("preset", media.Preset ?? "");
        table.Add("policy", media.Policy ?? "");
        table.Add("tenant", media.Tenant ?? "");
        table.Add("tags", string.Join(", ", media.Tags));
        if (media.Error is { } error)
        {
            table.Add("error", $"{error.Message} ({error.Code})");
        }

        output.Words.Write(table);
        Renditions(output, media);
        Tasks(output, media);
    }

    public static void Tokens(Output output, IReadOnlyList<TokenDocument> tokens)
    {
        var table = new Columns("token", "name", "may", "tenant", "ends (UTC)", "last used (UTC)");
        foreach (var token in tokens)
        {
            table.Add(token.Id, token.Name, string.Join(", ", token.Scopes), token.Tenant ?? "(every)",
                Day(token.ExpiresAt) ?? "never", Day(token.LastUsedAt) ?? "never");
        }

        output.Words.Write(table);

        static string? Day(DateTimeOffset? time) => time is { } at
            ? Invariant($"{at.UtcDateTime:yyyy-MM-dd HH:mm}") : null;
    }

    public static void Figures(Output output, Outcome outcome)
    {
        if (outcome.TimeToPlayable is { } playable)
        {
            output.Say($"time to playable  {MediaFollower.Seconds(playable)}");
        }

        if (outcome.TimeToReady is { } ready)
        {
            output.Say($"time to ready     {MediaFollower.Seconds(ready)}"
                + (outcome.TimesRealtime is { } times ? Invariant($"  ({times:0.0} × realtime)") : ""));
        }

        Renditions(output, outcome.Media);
    }

    private static void Renditions(Output output, MediaDocument media)
    {
        if (media.Renditions.Count == 0)
        {
            return;
        }

        var table = new Columns("rendition", "codec", "picture, sound", "segments", "size", "average");
        foreach (var one in media.Renditions)
        {
            var shape = one.Kind == "audio" ? Invariant($"{one.Channels} channels") : $"{one.Width}x{one.Height}";
            table.Add(one.Id, one.Codec ?? "", shape, Invariant($"{one.Segments}"), Bytes(one.SizeBytes),
                Invariant($"{one.AverageBitrate / 1000.0:0} kbit/s"));
        }

        output.Words.Write(table);
    }

    private static void Tasks(Output output, MediaDocument media)
    {
        if (media.Job?.Tasks is not { Count: > 0 } tasks)
        {
            return;
        }

        var table = new Columns("task", "state", "attempt", "node", "done", "took");
        foreach (var task in tasks)
        {
            table.Add(task.TaskId, task.State, Invariant($"{task.Attempt}"), task.NodeId ?? "",
                Invariant($"{(task.State == "committed" ? 1 : task.Fraction ?? 0) * 100:0} %"),
                task.EndedAt - task.StartedAt is { } took ? Invariant($"{took.TotalSeconds:0.0} s") : "");
        }

        output.Words.Write(table);
        // What the media failed of stands above already.
        foreach (var task in tasks.Where(t => t.Failure is { } own && own.Message != media.Error?.Message))
        {
            output.Say($"{task.TaskId} failed: {task.Failure!.Message} ({task.Failure.Code})");
        }
    }

    public static string Bytes(long bytes) => bytes switch
    {
        >= 1_000_000_000 => Invariant($"{bytes / 1e9:0.00} GB"),
        >= 1_000_000 => Invariant($"{bytes / 1e6:0.0} MB"),
        >= 1_000 => Invariant($"{bytes / 1e3:0} kB"),
        _ => Invariant($"{bytes} B"),
    };

    private static string Length(MediaDocument media) =>
        media.Source is { } source ? Invariant($"{TimeSpan.FromSeconds(source.DurationSeconds):hh\\:mm\\:ss}") : "";

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
