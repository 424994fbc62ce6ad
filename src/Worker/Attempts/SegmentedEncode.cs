using Hexcast.Media.IsoBmff;
using Hexcast.Worker.Tools;

namespace Hexcast.Worker.Attempts;

/// <summary>
/// One run of ffmpeg whose outputs are followed while they grow:
///   ffmpeg → scratch/{rendition}.mp4 → assembler → object store       for each rendition, side by side
/// </summary>
internal static class SegmentedEncode
{
    // A segment takes longer to encode than this; looking more often would only cost.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    public sealed record Output(string RenditionId, SegmentAssembler Assembler, double Seconds);

    /// <summary>The renditions' indexes, or what did not come out as planned; then nothing is stored.</summary>
    public static async Task<(IReadOnlyList<RenditionIndex> Renditions, AssemblyMismatch? Mismatch)> RunAsync(
        AttemptRun run,
        ToolCommand command,
        IReadOnlyList<Output> outputs,
        Action<EncoderProgress> tell,
        CancellationToken cancel)
    {
        List<RenditionSink> sinks = [];
        try
        {
            foreach (var output in outputs)
            {
                var name = RenditionSink.ObjectName(output.RenditionId);
                // A leftover of an earlier try must not be taken for this one's output.
                File.Delete(run.Scratch.Output(name));
                var writer = await run.Objects.CreateAsync(run.Key(name), cancel);
                sinks.Add(new RenditionSink(
                    output.RenditionId, run.Scratch.Output(name), output.Assembler, writer, output.Seconds));
            }

            await EncodeAsync(run, command, sinks, tell, cancel);
            foreach (var sink in sinks)
            {
                if (sink.Mismatch is { } early)
                {
                    return ([], early);
                }

                await sink.DrainAsync(cancel);
                if (await sink.CompleteAsync(cancel) is { } mismatch)
                {
                    return ([], mismatch);
                }
            }

            List<RenditionIndex> renditions = [];
            foreach (var sink in sinks)
            {
                renditions.Add(await sink.CommitAsync(cancel));
            }

            return (renditions, null);
        }
        finally
        {
            foreach (var sink in sinks)
            {
                await sink.DisposeAsync();
            }
        }
    }

    private static async Task EncodeAsync(
        AttemptRun run,
        ToolCommand command,
        List<RenditionSink> sinks,
        Action<EncoderProgress> tell,
        CancellationToken cancel)
    {
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task encode = run.Tools.RunAsync(command, ToolOutput.Progress(tell), abort.Token);
        try
        {
            while (!encode.IsCompleted && sinks.TrueForAll(s => s.Mismatch is null))
            {
                await Task.WhenAny(encode, Task.Delay(LookInterval, run.Clock, abort.Token));
                foreach (var sink in sinks)
                {
                    await sink.DrainAsync(cancel);
                }
            }
        }
        finally
        {
            // No tool outlives its attempt, whatever ends it: bytes that are no MP4, a full store, a mismatch.
            await abort.CancelAsync();
            await encode.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (sinks.TrueForAll(s => s.Mismatch is null))
        {
            await encode;
        }
    }
}
