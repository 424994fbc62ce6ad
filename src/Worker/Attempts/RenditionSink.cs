using System.Security.Cryptography;
using Hexcast.Media.IsoBmff;
using Hexcast.Platform.ObjectStore;
using Hexcast.Worker.Tools;
using Microsoft.Win32.SafeHandles;

namespace Hexcast.Worker.Attempts;

/// <summary>
/// Follows one output file of the encoder as it grows and turns it into the rendition's object:
/// header, then the segments in order, hashed and written as they become complete.
/// </summary>
internal sealed class RenditionSink(
    string id, string path, SegmentAssembler assembler, ObjectWriter writer, double seconds) : IAsyncDisposable
{
    private const int ReadBytes = 256 * 1024;

    private readonly byte[] buffer = new byte[ReadBytes];
    private readonly List<SegmentIndex> segments = [];
    private SafeFileHandle? file;
    private long position;
    private int frames;
    private byte[]? init;

    public static string ObjectName(string renditionId) => renditionId + ".mp4";

    public AssemblyMismatch? Mismatch => assembler.Mismatch;

    /// <summary>Takes what the encoder has written since the last time.</summary>
    public async Task DrainAsync(CancellationToken cancel)
    {
        file ??= UntrustedFile.Open(path);
        if (file is null)
        {
            return;
        }

        while (await RandomAccess.ReadAsync(file, buffer, position, cancel) is > 0 and var read)
        {
            position += read;
            assembler.Push(buffer.AsSpan(0, read));
            await StoreAsync(cancel);
        }
    }

    /// <summary>Call after the encoder has ended and the last drain.</summary>
    public async Task<AssemblyMismatch?> CompleteAsync(CancellationToken cancel)
    {
        var mismatch = assembler.Complete();
        await StoreAsync(cancel);
        return mismatch;
    }

    /// <summary>Makes the object durable and describes it.</summary>
    public async Task<RenditionIndex> CommitAsync(CancellationToken cancel)
    {
        var track = assembler.Track!;
        var length = writer.Length;
        var sha256 = await writer.CommitAsync(cancel);
        return new RenditionIndex
        {
            Id = id,
            Kind = track.Kind,
            Codec = track.Codec,
            Width = track.Width,
            Height = track.Height,
            FrameRate = track.Kind == TrackKind.Video ? frames / seconds : 0,
            Channels = track.Channels,
            SampleRateHz = track.SampleRateHz,
            Frames = frames,
            Timescale = track.Timescale,
            InitOffset = 0,
            InitLength = init!.Length,
            InitSha256 = Hash(init),
            ObjectName = ObjectName(id),
            ObjectSha256 = Convert.ToHexStringLower(sha256),
            ObjectLength = length,
            FirstSegmentNumber = segments[0].Number,
            Segments = segments,
        };
    }

    public async ValueTask DisposeAsync()
    {
        file?.Dispose();
        await writer.DisposeAsync();
    }

    private async Task StoreAsync(CancellationToken cancel)
    {
        if (init is null)
        {
            if (assembler.InitSegment is not { } header)
            {
                return;
            }

            init = header;
            await writer.WriteAsync(init, cancel);
        }

        while (assembler.TryTake(out var segment))
        {
            segments.Add(new SegmentIndex
            {
                Number = segment.Number,
                Offset = writer.Length,
                Length = segment.Bytes.Length,
                Start = segment.StartTicks,
                Duration = segment.DurationTicks,
                Sha256 = Hash(segment.Bytes),
            });
            frames += segment.SampleCount;
            await writer.WriteAsync(segment.Bytes, cancel);
        }
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
