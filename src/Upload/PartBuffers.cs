using System.Runtime.InteropServices;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Upload;

/// <summary>
/// The buffers that bodies are received into, aligned so that a disk can take them as they lie. The few that are kept
/// serve the next body; a body holds what it needs for as long as it needs it.
/// </summary>
internal sealed class PartBuffers
{
    public const int SizeBytes = 512 << 10;

    private const int KeptLimit = 16;

    private readonly Lock access = new();
    private readonly Stack<Memory<byte>> kept = [];

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
            if (kept.Count < KeptLimit)
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
}
