using Hexcast.Contracts.V1;
using Hexcast.Media;
using Hexcast.Media.Ffmpeg;
using Hexcast.Media.Planning;
using Hexcast.Media.Subtitles;
using Hexcast.Worker.Tools;
using Microsoft.Extensions.Logging;

namespace Hexcast.Worker.Attempts;

/// <summary>
/// The source's text tracks as WebVTT on the version's timeline. One run of ffmpeg reads the source and decodes nothing
/// but text; what it writes is read as a stranger's file and written anew (see <see cref="SubtitleText"/>). A track
/// that cannot be had is left out, with a reason.
/// </summary>
internal sealed class SubtitlesAttempt(ILogger<SubtitlesAttempt> log)
{
    // A hundred gigabytes at the pace of a slow disk.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(10);

    public const string IndexName = "subtitles.json";

    public static string FileName(string trackId) => trackId + ".vtt";

    public async Task<TaskCommit> RunAsync(AttemptRun run, SubtitlesWork work, CancellationToken cancel)
    {
        var plan = await run.Objects.ReadPlanAsync(work.Plan, cancel);
        var skipped = plan.SkippedSubtitles.ToList();
        List<StoredSubtitle> stored = [];
        var problem = plan.Subtitles.Count > 0 ? await ExtractAsync(run, plan, cancel) : null;
        foreach (var track in plan.Subtitles)
        {
            try
            {
                var text = problem is null ? await ReadAsync(run, plan, track, cancel) : throw problem;
                stored.Add(new StoredSubtitle
                {
                    Track = track, File = await run.StoreAsync(FileName(track.Id), text, cancel),
                });
            }
            catch (AttemptFailedException failed) when (Dispensable.IsOfSource(failed))
            {
                Skip(track, failed.Message);
            }
            catch (MediaException unreadable)
            {
                Skip(track, unreadable.Message);
            }
        }

        foreach (var left in skipped)
        {
            log.LogInformation(
                "{Version} of {MediaId} goes without the {Codec} subtitles in {Language}: {Reason}",
                run.Task.Version, run.Task.MediaId, left.Codec, left.Language, left.Reason);
        }

        var index = new SubtitleIndex { Tracks = stored, Skipped = skipped };
        return new TaskCommit
        {
            Result = await run.Objects.WriteAsync(run.Key(IndexName), index.ToJson(), cancel),
            WallSeconds = run.WallSeconds,
        };

        void Skip(SubtitlePlan track, string reason) =>
            skipped.Add(new Media.Planning.SkippedSubtitle("text", track.Language, reason));
    }

    /// <summary>What keeps all of them from being had; null: each may be looked at.</summary>
    private static async Task<AttemptFailedException?> ExtractAsync(
        AttemptRun run, TranscodePlan plan, CancellationToken cancel)
    {
        var extractor = run.Making("ffmpeg", view => SubtitleArguments.Extract(
            plan.Subtitles, view.Source, id => view.Output(FileName(id))));
        try
        {
            await run.Tools.RunAsync(
                // Before the first subtitle there may be much of the source to read.
                extractor with { HeadStart = LongestSilence },
                ToolOutput.Progress(now => run.Tell(now.OutTimeMicroseconds / 1e6 / plan.DurationSeconds, 0)),
                cancel);
            return null;
        }
        catch (AttemptFailedException failed) when (Dispensable.IsOfSource(failed))
        {
            return failed;
        }
    }

    private static async Task<byte[]> ReadAsync(
        AttemptRun run, TranscodePlan plan, SubtitlePlan track, CancellationToken cancel)
    {
        var written = await UntrustedFile.ReadAsync(
            run.Scratch.Output(FileName(track.Id)), SubtitleText.MaxBytes, cancel);
        var origin = plan.SourceTimeBase.FloorMicroseconds(plan.OriginPts);
        var cues = SubtitleText.Shift(
            SubtitleText.Read(written), TimeSpan.FromMicroseconds(origin), TimeSpan.FromSeconds(plan.DurationSeconds));
        if (cues.Count == 0)
        {
            throw new MediaException(MediaErrorCode.SubtitleUnreadable, "There is no text in these subtitles.");
        }

        var text = SubtitleText.Write(cues);
        return text.Length <= SubtitleText.MaxBytes ? text : throw new MediaException(
            MediaErrorCode.SubtitleUnreadable, $"These subtitles are over {SubtitleText.MaxBytes} bytes as WebVTT.");
    }
}
