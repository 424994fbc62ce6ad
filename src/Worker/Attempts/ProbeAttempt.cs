using System.Text;
using Hexcast.Contracts.V1;
using Hexcast.Media.Planning;
using Hexcast.Media.Probing;
using Hexcast.Platform.Presets;
using Hexcast.Worker.Tools;

namespace Hexcast.Worker.Attempts;

/// <summary>
/// Reads the source by ffprobe (streams, then every packet's time) and stores the plan that follows. Where the
/// container does not say when its frames are shown, the decoder is asked.
/// </summary>
internal sealed class ProbeAttempt(PresetCatalog presets)
{
    public const string PlanName = "plan.json";

    // Over SourceLimits.MaxFrames lines of either kind.
    private const int TableLimitBytes = 1 << 30;

    public async Task<TaskCommit> RunAsync(AttemptRun run, CancellationToken cancel)
    {
        var preset = run.Task.Probe.Preset is { Length: > 0 } text
            ? PresetCatalog.Parse(run.Task.PresetName, text)
            : presets.Get(run.Task.PresetName);
        var streams = new StringBuilder();
        await ProbeToolAsync(
            run, run.Reading("ffprobe", view => ProbeArguments.Streams(view.Source)),
            ToolOutput.Capture(streams, SourceLimits.MaxProbeJsonBytes), cancel);
        var probe = SourceProbe.Parse(streams.ToString());
        run.Tell(0.1, 0);

        var packets = await ReadPacketsAsync(run, probe, cancel);
        run.Tell(0.9, 0);

        var plan = TranscodePlan.Build(probe, packets, preset);
        var stored = await run.Objects.WriteAsync(run.Key(PlanName), plan.ToJson(), cancel);
        return new TaskCommit { Result = stored, Plan = Summary(plan, probe), WallSeconds = run.WallSeconds };
    }

    private static async Task<PacketTable> ReadPacketsAsync(AttemptRun run, SourceProbe probe, CancellationToken cancel)
    {
        if (probe.Video is not { } video)
        {
            // Planning says what is wrong with such a source.
            return new PacketTable { Pts = [], KeyframePts = [], LastDuration = 1 };
        }

        var packets = await ReadTableAsync(
            run, run.Reading("ffprobe", view => ProbeArguments.VideoPackets(view.Source, video.Index)),
            PacketTable.Parse, cancel);
        return packets.Exact
            ? packets
            : await ReadTableAsync(
                run, run.Reading("ffmpeg", view => ProbeArguments.VideoFrames(view.Source, video)),
                PacketTable.ParseFrames, cancel);
    }

    private static async Task<PacketTable> ReadTableAsync(
        AttemptRun run, ToolCommand command, Func<TextReader, PacketTable> parse, CancellationToken cancel)
    {
        var path = run.Scratch.OwnFile("table");
        await ProbeToolAsync(run, command, ToolOutput.ToFile(path, TableLimitBytes), cancel);
        using var lines = new StreamReader(path);
        return parse(lines);
    }

    private static async Task ProbeToolAsync(
        AttemptRun run, ToolCommand command, OutputReader read, CancellationToken cancel)
    {
        try
        {
            await run.Tools.RunAsync(command, read, cancel);
        }
        catch (AttemptFailedException failed) when (failed.Code == FailureCodes.ToolFailed)
        {
            var meaning = SourceProbe.Failure(failed.LogTail, new FileInfo(run.SourcePath).Length);
            throw AttemptFailure.OfMedia(meaning, failed.LogTail);
        }
    }

    private static PlanSummary Summary(TranscodePlan plan, SourceProbe probe)
    {
        var summary = new PlanSummary
        {
            HasAudio = plan.Audio is not null,
            DurationSeconds = plan.DurationSeconds,
            TargetDurationSeconds = plan.TargetDurationSeconds,
            TotalFrames = plan.TotalFrames,
            SourceWidth = probe.Video!.Width,
            SourceHeight = probe.Video.Height,
            SourceFrameRate = plan.FrameRate,
            SourceVideoCodec = probe.Video.Codec,
            SourceAudioCodec = probe.Audio?.Codec ?? "",
            SourceContainer = probe.FormatName,
            Storyboard = true,
            SubtitleStreams = plan.Subtitles.Count + plan.SkippedSubtitles.Count,
        };
        summary.ChunkSeconds.AddRange(plan.Chunks.Select(plan.Seconds));
        summary.Renditions.AddRange(plan.Video.Select(v => new PlannedRendition
        {
            Id = v.Id, Width = v.Width, Height = v.Height,
        }));
        if (plan.Audio is { } audio)
        {
            summary.Renditions.Add(new PlannedRendition { Id = audio.Id, Audio = true });
        }

        return summary;
    }
}

internal static class PlanTimes
{
    public static double Seconds(this TranscodePlan plan, ChunkPlan chunk) =>
        plan.SourceTimeBase.Seconds((chunk.EndPts ?? plan.EndPts) - chunk.StartPts);
}
