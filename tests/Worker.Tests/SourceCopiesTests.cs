using Hexcast.Platform.ObjectStore;
using Hexcast.Worker.Attempts;

namespace Hexcast.Worker.Tests;

/// <summary>Sources whose store is on another machine.</summary>
public sealed class SourceCopiesTests : IDisposable
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 1_000_000).Select(i => (byte)(i * 7))];

    private readonly string root = Directory.CreateTempSubdirectory("hexcast-copies-").FullName;
    private readonly Elsewhere store;
    private readonly SourceCopies copies;

    public SourceCopiesTests()
    {
        store = new Elsewhere(new LocalObjectStore(Path.Combine(root, "objects"), "local"));
        var scratch = Directory.CreateDirectory(Path.Combine(root, "scratch")).FullName;
        copies = new SourceCopies(store, new ScratchFolder(scratch), TimeProvider.System);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string[] Files => Directory.GetFiles(Path.Combine(root, "scratch", "sources"));

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task A_source_is_fetched_once_for_all_that_read_it()
    {
        await PutAsync("sources/a");
        var held = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => copies.TakeAsync("sources/a", Cancel)));
        held.Select(source => source.Path).Distinct().ShouldHaveSingleItem();
        (await File.ReadAllBytesAsync(held[0].Path, Cancel)).ShouldBe(Bytes);
        Array.ForEach(held, source => source.Dispose());
        // The next task of the same media finds it.
        (await copies.TakeAsync("sources/a", Cancel)).Dispose();
        store.Opened.ShouldBe([0]);
    }

    [Fact]
    public async Task A_fetch_that_breaks_goes_on_where_it_was()
    {
        await PutAsync("sources/a");
        store.BreaksAt = 300_000;
        using var held = await copies.TakeAsync("sources/a", Cancel);
        (await File.ReadAllBytesAsync(held.Path, Cancel)).ShouldBe(Bytes);
        store.Opened.ShouldBe([0, 300_000]);
    }

    [Fact]
    public async Task Who_gives_up_leaves_what_was_fetched_to_who_waits()
    {
        await PutAsync("sources/a");
        store.StandsAt = 500_000;
        using var first = new CancellationTokenSource();
        var given = copies.TakeAsync("sources/a", first.Token);
        var waiting = copies.TakeAsync("sources/a", Cancel);
        await store.Standing.Task.WaitAsync(Cancel);
        await first.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(given);
        using var held = await waiting;
        (await File.ReadAllBytesAsync(held.Path, Cancel)).ShouldBe(Bytes);
        store.Opened.ShouldBe([0, 500_000]);
    }

    [Fact]
    public async Task Copies_that_nobody_reads_go_but_for_the_last()
    {
        foreach (var name in (string[])["a", "b", "c", "d"])
        {
            await PutAsync($"sources/{name}");
        }

        using (var held = await copies.TakeAsync("sources/a", Cancel))
        {
            foreach (var name in (string[])["b", "c", "d"])
            {
                (await copies.TakeAsync($"sources/{name}", Cancel)).Dispose();
            }

            File.Exists(held.Path).ShouldBeTrue();
            Files.Length.ShouldBe(3);
        }

        Files.Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_source_that_is_not_there_is_said() =>
        (await Should.ThrowAsync<AttemptFailedException>(() => copies.TakeAsync("sources/none", Cancel))).Code
            .ShouldBe(FailureCodes.SourceUnreadable);

    private async Task PutAsync(string key)
    {
        await using var writer = await store.CreateAsync(key, Cancel);
        await writer.WriteAsync(Bytes, Cancel);
        await writer.CommitAsync(Cancel);
    }

    /// <summary>A store that has no paths here, and a line to it that can break or stand, once.</summary>
    private sealed class Elsewhere(LocalObjectStore store) : IObjectStore
    {
        public int BreaksAt { get; set; } = -1;

        public int StandsAt { get; set; } = -1;

        public TaskCompletionSource Standing { get; } = new();

        public List<long> Opened { get; } = [];

        public Task<ObjectWriter> CreateAsync(string key, CancellationToken cancel) => store.CreateAsync(key, cancel);

        public Task AdoptFileAsync(string key, string path, CancellationToken cancel) =>
            store.AdoptFileAsync(key, path, cancel);

        public async Task<Stream?> OpenReadAsync(string key, long offset, CancellationToken cancel)
        {
            Opened.Add(offset);
            var content = await store.OpenReadAsync(key, offset, cancel);
            var (breaksAt, standsAt) = (BreaksAt, StandsAt);
            (BreaksAt, StandsAt) = (-1, -1);
            return content is null || Math.Max(breaksAt, standsAt) < 0
                ? content : new Line(content, breaksAt, standsAt, Standing);
        }

        public Task<ObjectInfo?> StatAsync(string key, CancellationToken cancel) => store.StatAsync(key, cancel);

        public Task DeleteAsync(string key, CancellationToken cancel) => store.DeleteAsync(key, cancel);

        public Task DeletePrefixAsync(string prefix, CancellationToken cancel) =>
            store.DeletePrefixAsync(prefix, cancel);

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancel) =>
            store.ListAsync(prefix, cancel);

        public string? LocalPath(string key) => null;
    }

    private sealed class Line(Stream content, int breaksAt, int standsAt, TaskCompletionSource standing) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => content.Length;

        public override long Position
        {
            get => content.Position;
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var left = (breaksAt >= 0 ? breaksAt : standsAt) - (int)content.Position;
            if (left == 0 && breaksAt >= 0)
            {
                throw new IOException("the line is broken");
            }

            if (left == 0)
            {
                standing.TrySetResult();
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return await content.ReadAsync(buffer[..Math.Min(buffer.Length, left)], cancellationToken);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            content.Dispose();
            base.Dispose(disposing);
        }
    }
}
