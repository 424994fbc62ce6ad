using Hexcast.Contracts.V1;
using Hexcast.Media.Ffmpeg;
using Hexcast.Worker.Tools;

namespace Hexcast.Worker.Attempts;

/// <summary>One still picture of the video.</summary>
internal static class PosterAttempt
{
    public const string Name = "poster.jpg";

    // 1280x720 at JPEG's best quality stays well below.
    public const int PosterLimitBytes = 16 << 20;

    public static async Task<TaskCommit> RunAsync(AttemptRun run, PosterWork work, CancellationToken cancel)
    {
        var plan = await run.Objects.ReadPlanAsync(work.Plan, cancel);
        var errors = await run.Tools.RunAsync(
            run.Making("ffmpeg", view => ImageArguments.Poster(plan, view.Source, view.Output(Name))),
            ToolOutput.Progress(_ => { }), cancel);
        var bytes = await Jpeg.ReadAsync(run.Scratch.Output(Name), PosterLimitBytes, errors, cancel);
        var stored = await run.Objects.WriteAsync(run.Key(Name), bytes, cancel);
        return new TaskCommit { Result = stored, WallSeconds = run.WallSeconds };
    }
}
