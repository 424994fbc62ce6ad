using Hexcast.Contracts.V1;
using Hexcast.Media.Ffmpeg;
using Hexcast.Media.IsoBmff;

namespace Hexcast.Worker.Attempts;

/// <summary>Encodes all sound in one piece: its encoder carries state over any cut.</summary>
internal static class AudioAttempt
{
    public static async Task<TaskCommit> RunAsync(AttemptRun run, AudioWork work, CancellationToken cancel)
    {
        var plan = await run.Objects.ReadPlanAsync(work.Plan, cancel);
        if (plan.Audio is not { } audio)
        {
            throw new AttemptFailedException(FailureCodes.Unsupported, "The plan has no sound.", permanent: true);
        }

        var (renditions, mismatch) = await SegmentedEncode.RunAsync(
            run,
            run.Making("ffmpeg", view =>
                EncodeArguments.Audio(plan, view.Source, view.Output(RenditionSink.ObjectName(audio.Id)))),
            [new SegmentedEncode.Output(audio.Id, SegmentAssembler.ForAudio(plan), plan.DurationSeconds)],
            now => run.Tell(now.OutTimeMicroseconds / 1e6 / plan.DurationSeconds, now.OutTimeMicroseconds / 1e6),
            cancel);
        if (mismatch is not null)
        {
            throw new AttemptFailedException(
                FailureCodes.OutputMismatch, $"The sound did not come out as planned: {mismatch.Message}.");
        }

        var index = await AttemptIndexFile.WriteAsync(run, renditions, cancel);
        return new TaskCommit { Result = index, MediaSeconds = plan.DurationSeconds, WallSeconds = run.WallSeconds };
    }
}
