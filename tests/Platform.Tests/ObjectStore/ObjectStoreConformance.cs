using System.Security.Cryptography;
using Hexcast.Platform.Errors;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Platform.Tests.ObjectStore;

/// <summary>What every store of objects does.</summary>
public abstract class ObjectStoreConformance : IAsyncLifetime
{
    private readonly string files = Directory.CreateTempSubdirectory("hexcast-files-").FullName;

    private protected IObjectStore Store { get; private set; } = null!;

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => Store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(files, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected abstract Task<IObjectStore> OpenAsync();

    private protected abstract Task CloseAsync();

    [Fact]
    public async Task An_object_is_not_there_until_it_is_committed_and_then_whole()
    {
        await using var writer = await Store.CreateAsync("media/a/b.mp4", Cancel);
        await writer.WriteAsync("hello "u8.ToArray(), Cancel);
        await writer.WriteAsync("world"u8.ToArray(), Cancel);
        writer.Length.ShouldBe(11);
        (await Store.StatAsync("media/a/b.mp4", Cancel)).ShouldBeNull();
        (await Store.OpenReadAsync("media/a/b.mp4", 0, Cancel)).ShouldBeNull();

        (await writer.CommitAsync(Cancel)).ShouldBe(SHA256.HashData("hello world"u8));

        (await Store.StatAsync("media/a/b.mp4", Cancel)).ShouldBe(new ObjectInfo("media/a/b.mp4", 11));
        (await ReadAsync("media/a/b.mp4", 0)).ShouldBe("hello world"u8.ToArray());
        (await ReadAsync("media/a/b.mp4", 6)).ShouldBe("world"u8.ToArray());
        (await ReadAsync("media/a/b.mp4", 11)).ShouldBeEmpty();
        (await ReadAsync("media/a/b.mp4", 4_000)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_opened_knows_how_long_the_object_is()
    {
        await PutAsync("a/b", new byte[100]);
        await using var whole = await Store.OpenReadAsync("a/b", 0, Cancel);
        whole!.Length.ShouldBe(100);
        await using var rest = await Store.OpenReadAsync("a/b", 40, Cancel);
        rest!.Length.ShouldBe(100);
    }

    [Fact]
    public async Task A_writer_that_is_given_up_leaves_nothing()
    {
        await using (var writer = await Store.CreateAsync("media/a/b.mp4", Cancel))
        {
            await writer.WriteAsync(new byte[10], Cancel);
        }

        (await KeysAsync("")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Large_objects_and_empty_ones_come_back_as_they_were()
    {
        var large = new byte[9_000_001];
        RandomNumberGenerator.Fill(large);
        await PutAsync("a/large", large);
        await PutAsync("a/empty", []);
        (await ReadAsync("a/large", 0)).SequenceEqual(large).ShouldBeTrue();
        (await ReadAsync("a/large", 8_999_999)).ShouldBe(large[8_999_999..]);
        (await ReadAsync("a/empty", 0)).ShouldBeEmpty();
        (await Store.StatAsync("a/empty", Cancel)).ShouldBe(new ObjectInfo("a/empty", 0));
    }

    [Fact]
    public async Task A_file_becomes_the_object_and_is_gone()
    {
        var file = Path.Combine(files, "part");
        await File.WriteAllBytesAsync(file, [1, 2, 3], Cancel);
        await Store.AdoptFileAsync("sources/a", file, Cancel);
        File.Exists(file).ShouldBeFalse();
        (await ReadAsync("sources/a", 0)).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task What_is_put_again_is_what_was_put_last()
    {
        await PutAsync("a/b", [1, 2, 3]);
        await PutAsync("a/b", [4]);
        (await ReadAsync("a/b", 0)).ShouldBe([4]);
    }

    [Fact]
    public async Task Deleting_takes_one_or_all_below_a_prefix_and_what_is_not_there_is_no_error()
    {
        foreach (var key in (string[])["media/a/1/x", "media/a/2/y", "media/ab/1/z", "media/b/1/z"])
        {
            await PutAsync(key, [1]);
        }

        await Store.DeletePrefixAsync("media/a/", Cancel);
        await Store.DeletePrefixAsync("media/a/", Cancel);
        (await KeysAsync("")).ShouldBe(["media/ab/1/z", "media/b/1/z"]);
        (await KeysAsync("media/b/")).ShouldBe(["media/b/1/z"]);
        await Store.DeleteAsync("media/b/1/z", Cancel);
        await Store.DeleteAsync("media/b/1/z", Cancel);
        (await KeysAsync("")).ShouldBe(["media/ab/1/z"]);
    }

    [Fact]
    public async Task Many_are_written_and_read_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            var bytes = new byte[10_000 + i];
            await PutAsync($"a/{i}", bytes);
            (await ReadAsync($"a/{i}", 0)).Length.ShouldBe(bytes.Length);
        }));
        (await KeysAsync("a/")).Count.ShouldBe(40);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../etc/passwd")]
    [InlineData("a//b")]
    [InlineData(".incoming/1")]
    [InlineData("a/.hidden")]
    [InlineData("a b")]
    [InlineData("a\0b")]
    public async Task A_key_that_is_none_is_refused(string key)
    {
        foreach (var use in (Func<Task>[])[
            () => Store.OpenReadAsync(key, 0, Cancel), () => Store.CreateAsync(key, Cancel),
            () => Store.StatAsync(key, Cancel), () => Store.DeleteAsync(key, Cancel)])
        {
            (await Should.ThrowAsync<HexcastException>(use)).Code.ShouldBe(ErrorCodes.InvalidArgument);
        }
    }

    private protected async Task PutAsync(string key, byte[] bytes)
    {
        await using var writer = await Store.CreateAsync(key, Cancel);
        await writer.WriteAsync(bytes, Cancel);
        await writer.CommitAsync(Cancel);
    }

    private protected async Task<byte[]> ReadAsync(string key, long offset)
    {
        await using var content = (await Store.OpenReadAsync(key, offset, Cancel)).ShouldNotBeNull();
        using var all = new MemoryStream();
        await content.CopyToAsync(all, Cancel);
        return all.ToArray();
    }

    private protected async Task<List<string>> KeysAsync(string prefix)
    {
        var keys = new List<string>();
        await foreach (var info in Store.ListAsync(prefix, Cancel))
        {
            keys.Add(info.Key);
        }

        return [.. keys.Order(StringComparer.Ordinal)];
    }
}

public sealed class LocalConformanceTests : ObjectStoreConformance
{
    private readonly string root = Directory.CreateTempSubdirectory("hexcast-store-").FullName;

    private protected override Task<IObjectStore> OpenAsync() =>
        Task.FromResult<IObjectStore>(new LocalObjectStore(root, "local"));

    private protected override Task CloseAsync()
    {
        Directory.Delete(root, recursive: true);
        return Task.CompletedTask;
    }
}
