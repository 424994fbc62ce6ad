using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Hexcast.Harness;

/// <summary>What the tests ask of a running platform, over its public HTTP API only.</summary>
public sealed class HexcastApi(HttpClient http)
{
    private static readonly TimeSpan JobLimit = TimeSpan.FromMinutes(3);

    /// <summary>Uploads by tus in PATCHes of <paramref name="patchBytes"/>; answers the media_id.</summary>
    /// <exception cref="HttpRequestException">The node is away, or about to go.</exception>
    public async Task<string> UploadAsync(
        string file, int patchBytes = 1 << 20, params (string Key, string Value)[] metadata)
    {
        var location = await BeginUploadAsync(file, metadata);
        await GoOnAsync(location, file, offset: 0, patchBytes);
        return location.Split('/')[^1];
    }

    /// <returns>Where its bytes go.</returns>
    /// <exception cref="HttpRequestException">The node is away, or about to go.</exception>
    public async Task<string> BeginUploadAsync(string file, params (string Key, string Value)[] metadata)
    {
        using var created = await CreateUploadAsync(
            new FileInfo(file).Length, [("filename", Path.GetFileName(file)), .. metadata]);
        await ShouldBeAsync(created, HttpStatusCode.Created);
        return created.Headers.Location!.ToString();
    }

    /// <summary>Sends what the upload lacks from <paramref name="offset"/> on.</summary>
    /// <exception cref="HttpRequestException">The node is away, or about to go: go on at HEAD's offset.</exception>
    public async Task GoOnAsync(string location, string file, long offset, int patchBytes = 1 << 20)
    {
        using var source = File.OpenHandle(file);
        var length = RandomAccess.GetLength(source);
        var buffer = new byte[Math.Min(patchBytes, length)];
        while (offset < length)
        {
            var read = await RandomAccess.ReadAsync(source, buffer, offset);
            using var patched = await PatchAsync(location, offset, buffer.AsMemory(0, read));
            await ShouldBeAsync(patched, HttpStatusCode.NoContent);
            offset += read;
        }
    }

    public Task<HttpResponseMessage> CreateUploadAsync(long length, params (string Key, string Value)[] metadata) =>
        CreateUploadAsync(length, traceparent: null, metadata);

    public Task<HttpResponseMessage> CreateUploadAsync(
        long length, string? traceparent, params (string Key, string Value)[] metadata)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/uploads");
        request.Headers.Add("Tus-Resumable", "1.0.0");
        request.Headers.Add("Upload-Length", length.ToString());
        request.Headers.Add("Upload-Metadata", string.Join(
            ',', metadata.Select(m => $"{m.Key} {Convert.ToBase64String(Encoding.UTF8.GetBytes(m.Value))}")));
        if (traceparent is not null)
        {
            request.Headers.Add("traceparent", traceparent);
        }

        return http.SendAsync(request);
    }

    public Task<HttpResponseMessage> PatchAsync(
        string location, long offset, ReadOnlyMemory<byte> bytes, string? traceparent = null) =>
        PatchAsync(location, offset, new ReadOnlyMemoryContent(bytes), traceparent);

    public Task<HttpResponseMessage> PatchAsync(
        string location, long offset, HttpContent body, string? traceparent = null, CancellationToken cancel = default)
    {
        var request = new HttpRequestMessage(HttpMethod.Patch, location) { Content = body };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        request.Headers.Add("Upload-Offset", offset.ToString());
        if (traceparent is not null)
        {
            request.Headers.Add("traceparent", traceparent);
        }

        request.Content.Headers.ContentType = new("application/offset+octet-stream");
        return http.SendAsync(request, cancel);
    }

    public async Task<long> OffsetAsync(string location)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, location);
        request.Headers.Add("Tus-Resumable", "1.0.0");
        using var answer = await http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return long.Parse(answer.Headers.GetValues("Upload-Offset").Single());
    }

    public async Task<JsonObject> GetAsync(string mediaId) =>
        (await http.GetFromJsonAsync<JsonObject>($"/v1/media/{mediaId}"))!;

    /// <summary>Waits until the media is in one of the states; failing is told with the media's own error.</summary>
    public async Task<JsonObject> WaitForAsync(string mediaId, params string[] states)
    {
        JsonObject media = [];
        await Wait.ForAsync(
            async () =>
            {
                media = await GetAsync(mediaId);
                var state = (string)media["state"]!;
                if (state == "failed" && !states.Contains("failed"))
                {
                    throw new InvalidOperationException($"{mediaId} failed: {media["error"]}");
                }

                return states.Contains(state);
            },
            JobLimit,
            () => $"{mediaId} is not {string.Join(" or ", states)} after {JobLimit}: {media}");
        return media;
    }

    private static async Task ShouldBeAsync(HttpResponseMessage answer, HttpStatusCode wanted)
    {
        var content = await answer.Content.ReadAsStringAsync();
        if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            throw new HttpRequestException(content, inner: null, answer.StatusCode);
        }

        answer.StatusCode.ShouldBe(wanted, content);
    }
}
