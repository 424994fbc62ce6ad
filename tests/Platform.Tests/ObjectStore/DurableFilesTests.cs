using Hexcast.Platform.ObjectStore;

namespace Hexcast.Platform.Tests.ObjectStore;

public sealed class DurableFilesTests
{
    /// <summary>What fsync(2) answers where there is nothing to sync: an error like any other.</summary>
    private const int InvalidArgument = 22;

    [Fact]
    public void A_sync_that_fails_is_told()
    {
        using var handle = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Write);
        Should.Throw<IOException>(() => DurableFiles.Sync(handle)).HResult.ShouldBe(InvalidArgument);
        using var stream = new FileStream("/dev/null", FileMode.Open, FileAccess.Write);
        stream.WriteByte(1);
        Should.Throw<IOException>(() => DurableFiles.Sync(stream)).HResult.ShouldBe(InvalidArgument);
    }
}
