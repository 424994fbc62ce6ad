using System.Runtime.InteropServices;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Upload;

/// <summary>
/// The buffers that bodies are received into, aligned so that a disk can take them as they lie. A body alone may have
/// as many as make it fast; many at once share 24 MiB, and each has two at least.
/// </summary>
internal sealed class PartBuffers
{
    public const int SizeBytes = 512 << 10;

    /// <summary>What one body has use for: one in each stage of its reception, and two before each.</summary>
    public const int MostForOne = 7;

    public const int LeastForOne = 2;

    private const int Shared = 48;

    private readonly Lock access = new();
    private readonly Stack<Memory<byte>> kept = [];
    private int sharers;

    /// <summary>To be held by a body for as long as it is received.</summary>
    public Share TakeShare() => new(this);

    public Memory<byte> Rent()
    {
        lock (access)
        {
            if (kept.TryPop(out var buffer))
            {
                return buffer;
            }
        }

        return Allocate();
    }

    public void Return(Memory<byte> buffer)
    {
        lock (access)
        {
            if (kept.Count < Shared)
            {
                kept.Push(buffer);
            }
        }
    }

    private static Memory<byte> Allocate()
    {
        var array = GC.AllocateUninitializedArray<byte>(SizeBytes + DirectFile.AlignmentBytes, pinned: true);
        var start = (int)(-Marshal.UnsafeAddrOfPinnedArrayElement(array, 0) & (DirectFile.AlignmentBytes - 1));
        return array.AsMemory(start, SizeBytes);
    }

    internal sealed class Share : IDisposable
    {
        private readonly PartBuffers all;

        public Share(PartBuffers all)
        {
            this.all = all;
            Interlocked.Increment(ref all.sharers);
        }

        /// <summary>How many its holder may have now; fewer once there are more holders.</summary>
        public int Buffers => Math.Clamp(Shared / Volatile.Read(ref all.sharers), LeastForOne, MostForOne);

        public void Dispose() => Interlocked.Decrement(ref all.sharers);
    }
}
