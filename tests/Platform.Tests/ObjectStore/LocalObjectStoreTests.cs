using Hexcast.Platform.ObjectStore;

namespace Hexcast.Platform.Tests.ObjectStore;

/// <summary>Objects as files of one folder, besides what every store does.</summary>
public sealed class LocalObjectStoreTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("hexcast-store-").FullName;
    private readonly LocalObjectStore store;

    public LocalObjectStoreTests() => store = new LocalObjectStore(root, "local");

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task A_writer_that_is_given_up_leaves_nothing()
    {
        await using (var writer = await store.CreateAsync("media/a/b.mp4", CancellationToken.None))
        {
            await writer.WriteAsync(new byte[10], CancellationToken.None);
        }

        Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_a_crashed_process_was_writing_is_gone_after_the_next_start()
    {
        // Not disposed: the process is gone.
        var writer = await store.CreateAsync("media/a/b.mp4", CancellationToken.None);
        await writer.WriteAsync(new byte[10], CancellationToken.None);

        _ = new LocalObjectStore(root, "local");

        Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).ShouldBeEmpty();
        await writer.DisposeAsync();
    }

    [Fact]
    public async Task Deleting_a_prefix_takes_what_is_below_it_and_its_empty_folders()
    {
        await PutAsync("media/a/1/x");
        await PutAsync("media/a/2/y");
        await PutAsync("media/b/1/z");

        await store.DeletePrefixAsync("media/a/", CancellationToken.None);

        (await KeysAsync("")).ShouldBe(["media/b/1/z"]);
        Directory.Exists(Path.Combine(root, "media", "a")).ShouldBeFalse();
    }

    [Fact]
    public async Task Folders_that_become_empty_do_not_vanish_under_another_object()
    {
        await Task.WhenAll(PutAndDeleteAsync("media/a/b/1"), PutAndDeleteAsync("media/a/b/2"));
        Directory.Exists(Path.Combine(root, "media", "a")).ShouldBeFalse();
        Directory.Exists(Path.Combine(root, "media")).ShouldBeTrue("the top level stays");

        async Task PutAndDeleteAsync(string key)
        {
            await Task.Yield();
            for (var i = 0; i < 200; i++)
            {
                await PutAsync(key);
                await store.DeleteAsync(key, CancellationToken.None);
            }
        }
    }

    private async Task PutAsync(string key)
    {
        await using var writer = await store.CreateAsync(key, CancellationToken.None);
        await writer.CommitAsync(CancellationToken.None);
    }

    private async Task<List<string>> KeysAsync(string prefix)
    {
        var keys = new List<string>();
        await foreach (var info in store.ListAsync(prefix, CancellationToken.None))
        {
            keys.Add(info.Key);
        }

        return keys;
    }
}
