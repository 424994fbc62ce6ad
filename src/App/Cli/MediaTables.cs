using System.Globalization;
using Hexcast.App.Client;
using Hexcast.App.Progress;
using Spectre.Console;

namespace Hexcast.App.Cli;

/// <summary>How media look to a person.</summary>
internal static class MediaTables
{
    private const int SummaryLabelColumns = 6;

    public static void List(Output output, IReadOnlyList<MediaDocument> media)
    {
        var table = Table("media", "state", "length", "size", "title");
        foreach (var one in media)
        {
            Row(table, one.MediaId, one.State, Length(one), Bytes(one.SizeBytes), one.Name);
        }

        output.Words.Write(table);
    }

    public static void One(Output output, MediaDocument media, string watchAddress)
    {
        var table = Table("", "");
        table.HideHeaders();
        // The labels stand as they are; what is long breaks, or runs on where it cannot.
        table.Columns[0].Width(SummaryLabelColumns);
        Row(table, "media", media.MediaId);
        Row(table, "title", media.Name);
        Row(table, "state", media.State);
        if (media.IsPlayable)
        {
            Row(table, "watch", watchAddress);
        }

        if (media.Source is { } source)
        {
            var picture = Invariant($"{source.VideoCodec} {source.Width}x{source.Height}")
                + Invariant($", {source.FrameRate:0.###} frames/s");
            var length = Invariant($"{source.DurationSeconds:0.0} s, {source.Frames} frames");
            Row(table, "source", $"{source.Container}, {picture}, {source.AudioCodec ?? "no audio"}, {length}");
        }

        Row(table, "file", $"{media.Filename}, {Bytes(media.SizeBytes)}, SHA-256 {media.Sha256}");
        Row(table, "preset", media.Preset ?? "");
        Row(table, "policy", media.Policy ?? "");
        Row(table, "tenant", media.Tenant ?? "");
        Row(table, "tags", string.Join(", ", media.Tags));
        if (media.Error is { } error)
        {
            Row(table, "error", $"{error.Message} ({error.Code})");
        }

        output.Words.Write(table);
        Renditions(output, media);
        Tasks(output, media);
    }

    public static void Tokens(Output output, IReadOnlyList<TokenDocument> tokens)
    {
        var table = Table("token", "name", "may", "tenant", "ends", "last used");
        foreach (var token in tokens)
        {
            Row(table, token.Id, token.Name, string.Join(", ", token.Scopes), token.Tenant ?? "(every)",
                Day(token.ExpiresAt) ?? "never", Day(token.LastUsedAt) ?? "never");
        }

        output.Words.Write(table);

        static string? Day(DateTimeOffset? time) => time is null ? null : Invariant($"{time:yyyy-MM-dd HH:mm}");
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

        var table = Table("rendition", "codec", "picture or channels", "segments", "size", "average");
        foreach (var one in media.Renditions)
        {
            var shape = one.Kind == "audio" ? Invariant($"{one.Channels} channels") : $"{one.Width}x{one.Height}";
            Row(table, one.Id, one.Codec ?? "", shape, Invariant($"{one.Segments}"), Bytes(one.SizeBytes),
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

        var table = Table("task", "state", "attempt", "node", "done", "took");
        foreach (var task in tasks)
        {
            Row(table, task.TaskId, task.State, Invariant($"{task.Attempt}"), task.NodeId ?? "",
                Invariant($"{(task.State == "committed" ? 1 : task.Fraction ?? 0) * 100:0} %"),
                task.EndedAt - task.StartedAt is { } took ? Invariant($"{took.TotalSeconds:0.0} s") : "");
        }

        output.Words.Write(table);
        foreach (var task in tasks.Where(task => task.Failure is not null))
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

    public static Table Table(params string[] headings)
    {
        var table = new Table { Border = TableBorder.None };
        foreach (var heading in headings)
        {
            table.AddColumn(new TableColumn(new Text(heading)).NoWrap().PadRight(2));
        }

        return table;
    }

    /// <summary>Text, never markup: titles come from strangers.</summary>
    public static void Row(Table table, params string[] cells) =>
        table.AddRow(cells.Select(cell => new Text(Output.Printable(cell.ReplaceLineEndings(" ")))));

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
