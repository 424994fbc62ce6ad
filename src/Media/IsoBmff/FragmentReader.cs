using System.Buffers.Binary;

namespace Hexcast.Media.IsoBmff;

/// <summary>What a fragmented MP4 may ask for before it is refused.</summary>
public static class FragmentLimits
{
    public const int MaxHeaderBytes = 4 << 20;

    /// <summary>A GOP at the highest bit rate that a preset may have, several times over.</summary>
    public const int MaxMediaBytes = 128 << 20;
    public const int MaxSamplesPerFragment = 100_000;
}

/// <summary>
/// Reads a fragmented MP4 with one track as it grows. Push bytes in any portions; take samples as their fragments are
/// complete; at the end of the stream call <see cref="Complete"/>.
/// </summary>
public sealed class FragmentReader
{
    private readonly Queue<MediaSample> samples = new();
    private byte[] buffer = new byte[64 << 10];
    private int start, end;
    private long toSkip;

    // The fragment whose mdat is awaited, and the size of its moof, from whose start data offsets count.
    private List<FragmentRun>? runs;
    private int moofBytes;

    /// <summary>Null until the whole <c>moov</c> is there.</summary>
    public TrackInit? Init { get; private set; }

    /// <exception cref="MediaException"><see cref="MediaErrorCode.FragmentMalformed"/>.</exception>
    public void Push(ReadOnlySpan<byte> bytes)
    {
        if (toSkip > 0)
        {
            var skipped = (int)Math.Min(toSkip, bytes.Length);
            toSkip -= skipped;
            bytes = bytes[skipped..];
        }
        Append(bytes);
        while (TryReadBox())
        {
        }
    }

    public bool TryRead(out MediaSample sample) => samples.TryDequeue(out sample);

    /// <summary>Call when the stream has ended.</summary>
    /// <exception cref="MediaException">It ended within a box, or before its header.</exception>
    public void Complete()
    {
        if (start != end || toSkip > 0 || runs is not null)
        {
            throw BoxReader.Malformed("it ends within a box: the encoder was cut off");
        }
        if (Init is null)
        {
            throw BoxReader.Malformed("it holds no moov box: the encoder wrote nothing");
        }
    }

    private bool TryReadBox()
    {
        var available = buffer.AsSpan(start, end - start);
        if (available.Length < 8)
        {
            return false;
        }
        long size = BinaryPrimitives.ReadUInt32BigEndian(available);
        var type = BinaryPrimitives.ReadUInt32BigEndian(available[4..]);
        var header = 8;
        if (size == 1)
        {
            if (available.Length < 16)
            {
                return false;
            }
            size = BinaryPrimitives.ReadInt64BigEndian(available[8..]);
            header = 16;
        }
        if (size < header)
        {
            throw BoxReader.Malformed($"box {BoxType.Text(type)} has size {size}");
        }
        return type switch
        {
            BoxType.Moov or BoxType.Moof => TryWhole(type, size, header, FragmentLimits.MaxHeaderBytes),
            BoxType.Mdat => TryWhole(type, size, header, FragmentLimits.MaxMediaBytes),
            _ => Ignore(size),
        };
    }

    private bool Ignore(long size)
    {
        var here = (int)Math.Min(size, end - start);
        start += here;
        toSkip = size - here;
        return toSkip == 0;
    }

    private bool TryWhole(uint type, long size, int header, int limit)
    {
        if (size > limit)
        {
            throw BoxReader.Malformed($"box {BoxType.Text(type)} has {size} bytes; {limit} are allowed");
        }
        if (end - start < size)
        {
            return false;
        }
        var payload = buffer.AsSpan(start + header, (int)size - header);
        switch (type)
        {
            case BoxType.Moov when Init is null:
                Init = TrackInitReader.Read(new BoxReader(payload));
                break;
            case BoxType.Moov:
                throw BoxReader.Malformed("a second moov box follows");
            case BoxType.Moof:
                if (Init is not { } init || runs is not null)
                {
                    throw BoxReader.Malformed("a moof box comes without moov before it, or without mdat after it");
                }
                runs = MoofReader.Read(new BoxReader(payload), init);
                moofBytes = (int)size;
                break;
            case BoxType.Mdat when runs is not null:
                Emit(payload, runs, header);
                runs = null;
                break;
            default:
                throw BoxReader.Malformed("an mdat box comes without moof before it");
        }
        start += (int)size;
        return true;
    }

    private void Emit(ReadOnlySpan<byte> media, List<FragmentRun> fragment, int header)
    {
        // One copy for all samples of the fragment: the buffer is about to be used again.
        ReadOnlyMemory<byte> data = media.ToArray();
        foreach (var run in fragment)
        {
            var position = (long)run.DataOffset - moofBytes - header;
            foreach (var sample in run.Samples)
            {
                if (position < 0 || position + sample.Size > data.Length)
                {
                    throw BoxReader.Malformed("a sample lies outside its mdat");
                }
                samples.Enqueue(new MediaSample(sample.Dts, sample.Dts + sample.CompositionOffset, sample.Duration,
                    sample.IsKey, data.Slice((int)position, (int)sample.Size)));
                position += sample.Size;
            }
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        Reserve(end - start + bytes.Length);
        bytes.CopyTo(buffer.AsSpan(end));
        end += bytes.Length;
    }

    // Room for this many bytes from start on.
    private void Reserve(int count)
    {
        if (start + count <= buffer.Length)
        {
            return;
        }
        var target = count <= buffer.Length
            ? buffer
            : new byte[Math.Max(count, Math.Min(buffer.Length * 2L, int.MaxValue))];
        buffer.AsSpan(start, end - start).CopyTo(target);
        (buffer, start, end) = (target, 0, end - start);
    }
}
