using Hexcast.Contracts.V1;
using Hexcast.Media.Ffmpeg;
using Hexcast.Media.IsoBmff;
using Hexcast.Media.Manifests;
using Hexcast.Media.Planning;
using Hexcast.Platform.Errors;
using Hexcast.Worker.Tools;
using Microsoft.Extensions.Logging;

namespace Hexcast.Worker.Attempts;

/// <summary>
/// Small pictures of the whole video, on sheets:
///   segments of the smallest rendition that hold a wanted key frame → one file → ffmpeg, key frames only → sheets
/// The input is this platform's own encode: whatever the source is, it costs a millisecond a picture.
/// </summary>
internal sealed class StoryboardAttempt(ILogger<StoryboardAttempt> log)
{
    public const string IndexName = "storyboard.json";

    // A hundred pictures of 160x284 at JPEG's best quality stay below.
    private const int SheetLimitBytes = 16 << 20;
    private const string InputName = "keyframes.mp4";

    public static string SheetName(int sheet) => $"sheet-{sheet}.jpg";

    public async Task<TaskCommit> RunAsync(AttemptRun run, StoryboardWork work, CancellationToken cancel)
    {
        var plan = await run.Objects.ReadPlanAsync(work.Plan, cancel);
        var storyboard = StoryboardPlan.Of(plan);
        var keyFrames = await GatherAsync(run, work, plan, storyboard, cancel);
        run.Tell(0.3, 0);
        try
        {
            var sheets = await MakeAsync(run, storyboard, keyFrames, cancel);
            return new TaskCommit
            {
                Result = await StoreAsync(run, storyboard, sheets, cancel), WallSeconds = run.WallSeconds,
            };
        }
        catch (AttemptFailedException failed) when (Dispensable.IsOfSource(failed))
        {
            log.LogWarning(
                "{Version} of {MediaId} goes without a storyboard: {Code}: {Reason}",
                run.Task.Version, run.Task.MediaId, failed.Code, failed.Message);
            return new TaskCommit { WallSeconds = run.WallSeconds };
        }
    }

    /// <summary>Writes the input; for each picture, which of its key frames it is.</summary>
    private static async Task<List<int>> GatherAsync(
        AttemptRun run, StoryboardWork work, TranscodePlan plan, StoryboardPlan storyboard, CancellationToken cancel)
    {
        var gops = plan.Chunks.SelectMany(c => c.Segments).ToDictionary(s => s.Number, s => s.GopStartPts.Count);
        var wanted = storyboard.Pictures.ToLookup(picture => picture.Segment);
        var keyFrames = new List<int>(storyboard.Pictures.Count);
        var before = 0;
        try
        {
            await using var input = new FileStream(
                run.Scratch.OwnFile(InputName), FileMode.Create, FileAccess.Write, FileShare.None);
            foreach (var named in work.Indexes)
            {
                var index = AttemptIndex.FromJson(
                    await run.Objects.ReadAsync(named, AttemptIndex.MaxJsonBytes, cancel));
                var rendition = index.Renditions.Single(r => r.Id == storyboard.RenditionId);
                var key = named.Key[..(named.Key.LastIndexOf('/') + 1)] + rendition.ObjectName;
                if (input.Length == 0)
                {
                    await run.Objects.CopyAsync(key, rendition.InitOffset, rendition.InitLength, input, cancel);
                }

                foreach (var segment in rendition.Segments.Where(s => wanted.Contains(s.Number)))
                {
                    await run.Objects.CopyAsync(key, segment.Offset, segment.Length, input, cancel);
                    keyFrames.AddRange(wanted[segment.Number].Select(picture => before + picture.Gop));
                    before += gops[segment.Number];
                }
            }
        }
        catch (IOException full) when (StorageFaults.IsFull(full))
        {
            throw ScratchFolder.Full(full);
        }

        return keyFrames;
    }

    private static async Task<List<byte[]>> MakeAsync(
        AttemptRun run, StoryboardPlan storyboard, List<int> keyFrames, CancellationToken cancel)
    {
        var tiler = run.Making("ffmpeg", view => ImageArguments.Storyboard(
            storyboard, keyFrames, view.Source, view.Output("sheet-%d.jpg")));
        var errors = await run.Tools.RunAsync(
            tiler with { SourcePath = run.Scratch.OwnFile(InputName) }, ToolOutput.Progress(_ => { }), cancel);
        run.Tell(0.8, 0);
        List<byte[]> sheets = [];
        for (var sheet = 0; sheet < storyboard.Sheets; sheet++)
        {
            sheets.Add(await Jpeg.ReadAsync(run.Scratch.Output(SheetName(sheet)), SheetLimitBytes, errors, cancel));
        }

        return sheets;
    }

    private static async Task<ObjectRef> StoreAsync(
        AttemptRun run, StoryboardPlan storyboard, List<byte[]> sheets, CancellationToken cancel)
    {
        List<StoredFile> files = [];
        for (var sheet = 0; sheet < sheets.Count; sheet++)
        {
            files.Add(await run.StoreAsync(SheetName(sheet), sheets[sheet], cancel));
        }

        var index = new Media.Manifests.StoryboardIndex
        {
            TileWidth = storyboard.Width,
            TileHeight = storyboard.Height,
            Columns = storyboard.Columns,
            Rows = storyboard.Rows,
            StartSeconds = [.. storyboard.Pictures.Select(picture => picture.StartSeconds)],
            EndSeconds = storyboard.Pictures[^1].EndSeconds,
            Sheets = files,
        };
        return await run.Objects.WriteAsync(run.Key(IndexName), index.ToJson(), cancel);
    }
}
