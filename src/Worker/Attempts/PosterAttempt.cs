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

    // ITU-T T.81, B.1.1.3: start of image, and the first byte of the next marker.
    private static ReadOnlySpan<byte> JpegStart => [0xFF, 0xD8, 0xFF];

    public static async Task<TaskCommit> RunAsync(AttemptRun run, PosterWork work, CancellationToken cancel)
    {
        var plan = await run.Objects.ReadPlanAsync(work.Plan, cancel);
        var errors = await run.Tools.RunAsync(
            run.Making("ffmpeg", view => ImageArguments.Poster(plan, view.Source, view.Output(Name))),
            ToolOutput.Progress(_ => { }), cancel);
        var bytes = await ReadPictureAsync(run.Scratch.Output(Name), errors, cancel);
        var stored = await run.Objects.WriteAsync(run.Key(Name), bytes, cancel);
        return new TaskCommit { Result = stored, WallSeconds = run.WallSeconds };
    }

    /// <summary>It is shown to the world: a picture and nothing else.</summary>
    internal static async Task<byte[]> ReadPictureAsync(string path, string errors, CancellationToken cancel)
    {
        var bytes = await UntrustedFile.ReadAsync(path, PosterLimitBytes, cancel);
        return bytes.AsSpan().StartsWith(JpegStart)
            ? bytes
            : throw new AttemptFailedException(
                FailureCodes.OutputMismatch, "ffmpeg made no poster of the video.", logTail: errors);
    }
}
