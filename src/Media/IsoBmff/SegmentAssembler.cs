using System.Diagnostics.CodeAnalysis;
using Hexcast.Media.Planning;

namespace Hexcast.Media.IsoBmff;

/// <summary>A finished segment, ready to be stored. Times are ticks of its track on the version's timeline.</summary>
public sealed record MediaSegment(int Number, byte[] Bytes, long StartTicks, long DurationTicks, int SampleCount);

public enum MismatchReason
{
    /// <summary>A segment has more or fewer frames than planned.</summary>
    FrameCount,
    /// <summary>A GOP does not start where it was planned.</summary>
    KeyFrame,
    /// <summary>A frame is shown outside its GOP, or at the same time as another.</summary>
    FrameTime,
    /// <summary>The track has another kind or another timescale than planned.</summary>
    Track,
}

/// <summary>
/// How an encoder's output differs from the plan. For a video chunk the cause is nearly always a seek that landed wrong
/// (encode again without seeking) or frames that cannot be decoded (then tolerate their loss).
/// </summary>
public sealed record AssemblyMismatch(MismatchReason Reason, string Message);

/// <summary>
/// Turns an encoder's fragmented MP4 into the segments of the plan as its bytes arrive:
/// <c>Push</c> bytes, <c>TryTake</c> finished segments, and <c>Complete</c> at the end of the stream. Nothing
/// comes out after a mismatch.
/// </summary>
public abstract class SegmentAssembler
{
    private readonly FragmentReader reader = new();
    private readonly Queue<MediaSegment> finished = new();

    // Only the assemblers of this folder.
    private protected SegmentAssembler()
    {
    }

    /// <param name="tolerateLostFrames">Accept fewer frames than planned, for sources that are damaged.</param>
    public static SegmentAssembler ForVideo(TranscodePlan plan, ChunkPlan chunk, bool tolerateLostFrames = false) =>
        new VideoSegmentAssembler(plan, chunk, tolerateLostFrames);

    public static SegmentAssembler ForAudio(TranscodePlan plan) => new AudioSegmentAssembler(plan);

    /// <summary>Null until the encoder has written its header.</summary>
    public TrackInit? Track => reader.Init;

    /// <summary>Our own header for the track, once <see cref="Track"/> is there.</summary>
    public byte[]? InitSegment { get; private set; }

    public AssemblyMismatch? Mismatch { get; private set; }

    public int SegmentCount { get; private set; }

    /// <exception cref="MediaException">The bytes are no fragmented MP4.</exception>
    public void Push(ReadOnlySpan<byte> bytes)
    {
        reader.Push(bytes);
        if (InitSegment is null && reader.Init is { } track)
        {
            InitSegment = InitSegmentWriter.Write(track, ReorderTicks);
            if (CheckTrack(track) is { } problem)
            {
                Fail(MismatchReason.Track, problem);
            }
        }
        while (reader.TryRead(out var sample))
        {
            if (Mismatch is null)
            {
                Add(sample);
            }
        }
    }

    public bool TryTake([NotNullWhen(true)] out MediaSegment? segment) => finished.TryDequeue(out segment);

    /// <summary>Ends the stream and the last segment. Null when everything is as planned.</summary>
    /// <exception cref="MediaException">The stream ends within a box.</exception>
    public AssemblyMismatch? Complete()
    {
        if (Mismatch is null)
        {
            reader.Complete();
            Finish();
        }
        return Mismatch;
    }

    private protected abstract int ReorderTicks { get; }

    private protected abstract string? CheckTrack(TrackInit track);

    private protected abstract void Add(MediaSample sample);

    private protected abstract void Finish();

    private protected void Emit(MediaSegment segment)
    {
        SegmentCount++;
        finished.Enqueue(segment);
    }

    private protected void Fail(MismatchReason reason, string message) =>
        Mismatch ??= new AssemblyMismatch(reason, message);
}
