using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Hexcast.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Upload.Tests;

/// <summary>A node with Upload and a Catalog of the test's own; it can be opened again over its folder.</summary>
public abstract class UploadFixture : IAsyncLifetime
{
    internal static readonly string OffsetType = "application/offset+octet-stream";

    internal string Folder { get; } = Directory.CreateTempSubdirectory("hexcast-upload-").FullName;

    internal FakeCatalog Catalog { get; } = new();

    internal RoleNode Node { get; private set; } = null!;

    internal HttpClient Http => Node.Http;

    internal IObjectStore Objects => Node.Get<IObjectStore>();

    internal UploadStore Store => Node.Get<UploadStore>();

    protected virtual (string, string)[] Settings => [];

    public async ValueTask InitializeAsync() => await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    internal async Task OpenAsync() =>
        Node = await RoleNode.StartAsync(Folder, [new UploadModule(), new FakeCatalogModule(Catalog)], Settings);

    internal async Task ReopenAsync()
    {
        await Node.DisposeAsync();
        await OpenAsync();
    }

    internal string Log() => File.ReadAllText(Path.Combine(Folder, "log"));

    internal string PathOf(string location, string ending) =>
        Path.Combine(Folder, "uploads", location.Split('/')[^1] + ending);

    internal Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return Http.SendAsync(request);
    }

    internal Task<HttpResponseMessage> PostAsync(long length, params (string Key, string Value)[] metadata) =>
        SendAsync(
            HttpMethod.Post,
            "/v1/uploads",
            null,
            ("Upload-Length", length.ToString()),
            ("Upload-Metadata", Metadata(metadata)));

    internal static string Metadata(params (string Key, string Value)[] metadata) => string.Join(
        ',', metadata.Select(m => $"{m.Key} {Convert.ToBase64String(Encoding.UTF8.GetBytes(m.Value))}"));

    internal async Task<string> CreateAsync(long length, params (string Key, string Value)[] metadata)
    {
        using var answer = await PostAsync(length, metadata);
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
        return answer.Headers.Location!.ToString();
    }

    internal Task<HttpResponseMessage> PatchAsync(string location, long offset, ReadOnlyMemory<byte> bytes) =>
        PatchAsync(location, offset, new ReadOnlyMemoryContent(bytes));

    internal Task<HttpResponseMessage> PatchAsync(string location, long offset, HttpContent content)
    {
        content.Headers.ContentType = new(OffsetType);
        return SendAsync(HttpMethod.Patch, location, content, ("Upload-Offset", offset.ToString()));
    }

    internal async Task<long> OffsetAsync(string location)
    {
        using var answer = await SendAsync(HttpMethod.Head, location);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return long.Parse(Header(answer, "Upload-Offset"));
    }

    internal static string Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) || answer.Content.Headers.TryGetValues(name, out values)
            ? string.Join(",", values) : "";

    internal static async Task ShouldBeProblemAsync(HttpResponseMessage answer, int status, string code)
    {
        var text = await answer.Content.ReadAsStringAsync();
        ((int)answer.StatusCode).ShouldBe(status, text);
        ((string)JsonNode.Parse(text)!["code"]!).ShouldBe(code);
    }

    internal async Task<byte[]?> SourceAsync(string location)
    {
        await using var source = await Objects.OpenReadAsync(
            ObjectKey.Source(location.Split('/')[^1]), 0, CancellationToken.None);
        if (source is null)
        {
            return null;
        }

        using var bytes = new MemoryStream();
        await source.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    internal static byte[] Bytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}

/// <summary>The seam to Catalog: notes what it is told, and refuses while it is told to.</summary>
internal sealed class FakeCatalog : Contracts.V1.Catalog.CatalogBase
{
    private int calls;

    public ConcurrentDictionary<string, CompleteUploadRequest> Completed { get; } = new(StringComparer.Ordinal);

    public StatusCode Refusal { get; set; } = StatusCode.OK;

    /// <summary>Answers only when the call is cancelled.</summary>
    public bool Hangs { get; set; }

    public int Calls => calls;

    public override async Task<CompleteUploadResponse> CompleteUpload(
        CompleteUploadRequest request, ServerCallContext context)
    {
        Interlocked.Increment(ref calls);
        if (Hangs)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
        }

        if (Refusal != StatusCode.OK)
        {
            throw new RpcException(new Status(Refusal, "refused by the test"));
        }

        Completed[request.MediaId] = request;
        return new CompleteUploadResponse { Media = new MediaRecord { MediaId = request.MediaId } };
    }
}

internal sealed class FakeCatalogModule(FakeCatalog catalog) : RoleModule
{
    public override void AddServices(RoleBuilder role) => role.Services.AddSingleton(catalog);

    public override void MapGrpc(IEndpointRouteBuilder grpc) => grpc.MapGrpcService<FakeCatalog>();
}
