using System.Text;
using Hexcast.Contracts.V1;
using Hexcast.Media.Planning;
using Hexcast.Media.Probing;
using Hexcast.Platform.Presets;
using Hexcast.Worker.Tools;

namespace Hexcast.Worker.Attempts;

/// <summary>Reads the source by ffprobe (streams, then every packet's time) and stores the plan that follows.</summary>
internal sealed class ProbeAttempt(PresetCatalog presets)
{
    public const string PlanName = "plan.json";

    private const int PacketTableLimitBytes = 512 << 20;

    public async Task<TaskCommit> RunAsync(AttemptRun run, CancellationToken cancel)
    {
        var preset = presets.Get(run.Task.PresetName);
        var streams = new StringBuilder();
        await ProbeToolAsync(
            run, view => ProbeArguments.Streams(view.Source),
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

        var table = run.Scratch.File("packets.csv");
        await ProbeToolAsync(
            run, view => ProbeArguments.VideoPackets(view.Source, video.Index),
            ToolOutput.ToFile(table, PacketTableLimitBytes), cancel);
        using var lines = new StreamReader(table);
        return PacketTable.Parse(lines);
    }

    private static async Task ProbeToolAsync(
        AttemptRun run, Func<ToolView, IReadOnlyList<string>> arguments, OutputReader read, CancellationToken cancel)
    {
        try
        {
            await run.Tools.RunAsync(run.Command("ffprobe", arguments), read, cancel);
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
        ((chunk.EndPts ?? plan.EndPts) - chunk.StartPts) * plan.SourceTimeBase.ToDouble();
}
