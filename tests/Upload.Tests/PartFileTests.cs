using System.Runtime.InteropServices;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Upload.Tests;

/// <summary>What is written past the page cache and what through it make one file.</summary>
public sealed class PartFileTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("hexcast-part-");
    private readonly Memory<byte> buffer = new PartBuffers().Rent();

    private string Path => System.IO.Path.Combine(folder.FullName, "part");

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Stretches_of_any_length_join_to_the_file_that_was_sent(int seed)
    {
        var random = new Random(seed);
        using var written = new MemoryStream();
        using (var part = new PartFile(Path))
        {
            var end = 0;
            while (written.Length < 4 * PartBuffers.SizeBytes)
            {
                // As the receiver does: on in the same buffer, or at the start of the next once it is full.
                var start = end % PartBuffers.SizeBytes;
                var most = PartBuffers.SizeBytes - start;
                end = start + random.Next(1, random.Next(3) == 0 ? Math.Min(most, 100) + 1 : most + 1);
                random.NextBytes(buffer[start..end].Span);
                part.Write(buffer[start..end].Span, written.Length);
                written.Write(buffer[start..end].Span);
            }

            part.Sync();
        }

        File.ReadAllBytes(Path).ShouldBe(written.ToArray());
    }

    [Fact]
    public void What_lies_askew_in_memory_is_stored_all_the_same()
    {
        new Random(1).NextBytes(buffer.Span);
        using (var part = new PartFile(Path))
        {
            part.Write(buffer.Span[1..], 0);
            part.Write(buffer.Span[..4096], buffer.Length - 1);
        }

        File.ReadAllBytes(Path).ShouldBe([.. buffer.Span[1..], .. buffer.Span[..4096]]);
    }

    [Fact]
    public void A_file_that_cannot_be_written_past_the_cache_says_what_is_wrong_with_it()
    {
        File.CreateSymbolicLink(Path, "/dev/full");
        using var part = new PartFile(Path);
        Should.Throw<IOException>(() => part.Write(buffer.Span, 0)).Message.ShouldContain("space");
    }

    [Fact]
    public void Buffers_begin_where_a_disk_wants_them_and_are_used_again()
    {
        var buffers = new PartBuffers();
        var first = buffers.Rent();
        MemoryMarshal.TryGetArray<byte>(first, out var array).ShouldBeTrue();
        (Marshal.UnsafeAddrOfPinnedArrayElement(array.Array!, array.Offset) % DirectFile.AlignmentBytes).ShouldBe(0);
        buffers.Return(first);
        buffers.Rent().Equals(first).ShouldBeTrue();
        buffers.Rent().Equals(first).ShouldBeFalse();
    }

    [Fact]
    public void One_body_has_all_the_buffers_it_can_use_and_many_have_two_each()
    {
        var buffers = new PartBuffers();
        var first = buffers.TakeShare();
        first.Buffers.ShouldBe(PartBuffers.MostForOne);
        var others = Enumerable.Range(0, 99).Select(_ => buffers.TakeShare()).ToList();
        first.Buffers.ShouldBe(PartBuffers.LeastForOne);
        others.ForEach(other => other.Dispose());
        first.Buffers.ShouldBe(PartBuffers.MostForOne);
    }
}
