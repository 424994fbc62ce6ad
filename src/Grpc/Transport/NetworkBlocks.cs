using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace Hexcast.Grpc;

/// <summary>
/// The blocks that Kestrel receives into and sends from. Its own are of 4 KiB, and it makes a system call for each: for
/// an upload that costs as much processor time as SHA-256 does. All listeners of a node share one pool.
/// </summary>
internal sealed class NetworkBlocks : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int BlockBytes = 32 << 10;

    /// <summary>Free ones that are kept: 8 MiB. What a rush has needed beyond them is garbage.</summary>
    private const int KeptLimit = 256;

    private readonly Lock access = new();
    // The one that was used last is the one that the processor still has.
    private readonly Stack<Block> kept = [];

    public override int MaxBufferSize => BlockBytes;

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        lock (access)
        {
            if (kept.TryPop(out var block))
            {
                return block;
            }
        }

        return new Block(this);
    }

    // Each transport disposes what it thinks is its own when it ends; the others go on.
    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(NetworkBlocks pool) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);

        public void Dispose()
        {
            lock (pool.access)
            {
                if (pool.kept.Count < KeptLimit)
                {
                    pool.kept.Push(this);
                }
            }
        }
    }
}
