namespace Hexcast.Grpc.Tests;

public sealed class NetworkBlocksTests
{
    [Fact]
    public void A_block_that_is_given_back_is_the_next_one()
    {
        using var blocks = new NetworkBlocks();
        var first = blocks.Rent();
        var memory = first.Memory;
        first.Dispose();
        blocks.Rent(4096).Memory.Equals(memory).ShouldBeTrue();
        blocks.Rent().Memory.Equals(memory).ShouldBeFalse();
    }

    [Fact]
    public void A_listener_that_ends_leaves_the_others_their_blocks()
    {
        using var blocks = new NetworkBlocks();
        var ends = blocks.Create();
        var stays = blocks.Create();
        ends.Dispose();
        using var block = stays.Rent(stays.MaxBufferSize);
        block.Memory.Length.ShouldBe(stays.MaxBufferSize);
    }

    [Fact]
    public void More_than_a_block_is_refused()
    {
        using var blocks = new NetworkBlocks();
        Should.Throw<ArgumentOutOfRangeException>(() => blocks.Rent(blocks.MaxBufferSize + 1));
    }
}
