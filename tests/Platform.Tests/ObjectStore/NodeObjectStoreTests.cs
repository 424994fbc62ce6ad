using System.Net;
using Grpc.Core;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Hexcast.Platform.Tests.Cluster;
using Hexcast.Platform.Tls;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.Tests.ObjectStore;

/// <summary>The objects of another node of the cluster, over mutual TLS.</summary>
public sealed class NodeObjectStoreTests : ObjectStoreConformance
{
    private readonly Places places = new();
    private TestCluster cluster = null!;
    private HexcastNode second = null!;
    private string outgoing = "";

    private IObjectStore There => cluster.FirstNode.Services.GetRequiredService<IObjectStore>();

    private protected override async Task<IObjectStore> OpenAsync()
    {
        cluster = await TestCluster.StartAsync();
        second = await cluster.StartAsync(await cluster.JoinAsync("node-2"));
        outgoing = Directory.CreateDirectory(Path.Combine(cluster.FolderOf("node-2"), "outgoing")).FullName;
        places.Place = new RolePlace("node-1", cluster.First.Address);
        return Open(TimeSpan.FromSeconds(30));
    }

    private protected override async Task CloseAsync()
    {
        (Store as IDisposable)?.Dispose();
        await cluster.DisposeAsync();
    }

    [Fact]
    public async Task What_is_written_here_lies_there_and_nothing_of_it_stays_here()
    {
        await PutAsync("media/a/1", [1, 2, 3]);
        (await There.StatAsync("media/a/1", Cancel))!.Length.ShouldBe(3);
        Directory.GetFileSystemEntries(outgoing).ShouldBeEmpty();
        Store.LocalPath("media/a/1").ShouldBeNull();
    }

    [Fact]
    public async Task While_the_node_with_the_objects_is_away_what_is_asked_waits_for_it()
    {
        await PutAsync("a/b", [1]);
        var place = places.Place;
        places.Place = null;
        var put = PutAsync("a/c", [2]);
        var read = ReadAsync("a/b", 0);
        await places.Asked.Task.WaitAsync(Cancel);
        put.IsCompleted.ShouldBeFalse();
        places.Place = place;
        await put;
        (await read).ShouldBe([1]);
        (await ReadAsync("a/c", 0)).ShouldBe([2]);
    }

    [Fact]
    public async Task A_node_that_stays_away_is_said_by_name()
    {
        using var store = Open(TimeSpan.Zero);
        places.Place = null;
        (await Should.ThrowAsync<HexcastException>(store.StatAsync("a/b", Cancel))).Code
            .ShouldBe(ErrorCodes.Unavailable);
        places.Place = new RolePlace("node-1", TestCluster.FreePort().ToString());
        (await Should.ThrowAsync<HexcastException>(store.StatAsync("a/b", Cancel))).Code
            .ShouldBe(ErrorCodes.Unavailable);
    }

    [Fact]
    public async Task Bytes_go_to_no_node_but_the_one_that_was_looked_for()
    {
        using var store = Open(TimeSpan.Zero);
        places.Place = new RolePlace("node-3", cluster.First.Address);
        (await Should.ThrowAsync<HexcastException>(store.StatAsync("a/b", Cancel))).Code
            .ShouldBe(ErrorCodes.Unavailable);
    }

    [Theory]
    [InlineData("another digest")]
    [InlineData("no digest")]
    [InlineData("no base64")]
    [InlineData("no length")]
    public async Task What_does_not_come_as_it_was_announced_is_not_stored(string how)
    {
        using var http = Http();
        using var request = new HttpRequestMessage(HttpMethod.Put, "/objects/a/b");
        request.Content = how == "no length" ? new Endless([1, 2, 3]) : new ByteArrayContent([1, 2, 3]);
        var right = ObjectEndpoint.DigestOf(System.Security.Cryptography.SHA256.HashData([1, 2, 3]));
        request.Headers.TryAddWithoutValidation(ObjectEndpoint.DigestHeader, how switch
        {
            "another digest" => ObjectEndpoint.DigestOf(new byte[32]),
            "no digest" => "",
            "no base64" => "sha-256=:!:",
            _ => right,
        });
        using var answer = await http.SendAsync(request, Cancel);
        ((int)answer.StatusCode).ShouldBe(how == "another digest" ? 460 : 400);
        (await There.StatAsync("a/b", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task A_connection_that_breaks_in_the_middle_leaves_nothing()
    {
        using (var http = Http())
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, "/objects/a/b");
            using var body = new Broken();
            request.Content = new StreamContent(body);
            request.Content.Headers.ContentLength = 1_000_000;
            request.Headers.Add(ObjectEndpoint.DigestHeader, ObjectEndpoint.DigestOf(new byte[32]));
            await Should.ThrowAsync<HttpRequestException>(http.SendAsync(request, Cancel));
        }

        (await There.StatAsync("a/b", Cancel)).ShouldBeNull();
        var incoming = Path.Combine(cluster.FolderOf("node-1"), "objects", ".incoming");
        var began = TimeProvider.System.GetTimestamp();
        while (Directory.GetFiles(incoming, "*", SearchOption.AllDirectories).Length > 0)
        {
            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(30));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancel);
        }
    }

    [Theory]
    [InlineData("bytes=2-4", 206, "3,4,5")]
    [InlineData("bytes=-2", 206, "9,10")]
    [InlineData("bytes=8-900", 206, "9,10")]
    [InlineData("bytes=10-", 416, "")]
    [InlineData("bytes=0-1,3-4", 416, "")]
    [InlineData("lines=1-2", 416, "")]
    public async Task Ranges_are_those_of_HTTP(string range, int status, string expected)
    {
        await PutAsync("a/b", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        using var http = Http();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/objects/a/b");
        request.Headers.TryAddWithoutValidation("Range", range);
        using var answer = await http.SendAsync(request, Cancel);
        ((int)answer.StatusCode).ShouldBe(status);
        string.Join(',', await answer.Content.ReadAsByteArrayAsync(Cancel)).ShouldBe(expected);
        answer.Content.Headers.ContentRange!.Length.ShouldBe(10);
    }

    [Fact]
    public async Task Paths_that_are_no_keys_and_strangers_get_nothing()
    {
        using var http = Http();
        foreach (var path in (string[])["/objects/a/%2e%2e%2fsecret", "/objects/a/.b", "/objects/a%20b", "/objects//a"])
        {
            using var answer = await http.GetAsync(path, Cancel);
            answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest, path);
        }

        using var stranger = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null },
        })
        {
            DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        await PutAsync("a/b", [1]);
        using var refused = await stranger.GetAsync($"https://{cluster.First.Address}/objects/a/b", Cancel);
        refused.Headers.GetValues("grpc-status").ShouldBe(["16"]);
        (await refused.Content.ReadAsByteArrayAsync(Cancel)).ShouldBeEmpty();
    }

    private NodeObjectStore Open(TimeSpan patience) => new(
        places, second.Services.GetRequiredService<NodeChannels>(), outgoing, TimeProvider.System, patience);

    private HttpClient Http() => second.Services.GetRequiredService<NodeChannels>()
        .OpenHttp(new RolePlace("node-1", cluster.First.Address));

    private sealed class Places : IRoleRoutes
    {
        private volatile RolePlace? place;

        public RolePlace? Place
        {
            get => place;
            set => place = value;
        }

        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Moved => Task.CompletedTask;

        public CallInvoker To(string role) => throw new NotSupportedException();

        public RolePlace? PlaceOf(string role)
        {
            role.ShouldBe("upload");
            if (place is null)
            {
                Asked.TrySetResult();
            }

            return place;
        }
    }

    private sealed class Endless(byte[] bytes) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            stream.WriteAsync(bytes).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>Some bytes, and then the sender is gone.</summary>
    private sealed class Broken : MemoryStream
    {
        private int reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ++reads > 3 ? throw new IOException("gone") : ValueTask.FromResult(buffer.Length);
    }
}
