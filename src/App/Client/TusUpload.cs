using System.Globalization;
using System.Net;
using System.Text;
using Hexcast.App.Cli;
using Hexcast.Platform.Hosting;

namespace Hexcast.App.Client;

/// <summary>What goes along with a file.</summary>
internal sealed record UploadRequest(string File, string? Title = null, string? Preset = null, string? Policy = null)
{
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>
/// Uploads one file by tus 1.0: create, then PATCH from the offset that the server holds. A lost connection or a stall
/// asks for that offset again and goes on from there.
/// </summary>
internal sealed class TusUpload(HexcastClient client, TimeProvider clock)
{
    /// <summary>Tries in a row that moved nothing. With the delays between them about half a minute.</summary>
    private const int MaxFruitlessTries = 10;

    private const int BufferBytes = 256 * 1024;
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(60);

    /// <returns>The new media's id.</returns>
    public async Task<string> RunAsync(UploadRequest request, Action<long, long> progress, CancellationToken cancel)
    {
        await using var file = Open(request.File);
        var length = file.Length;
        var location = await CreateAsync(request, length, cancel);

        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), clock);
        long offset = 0;
        var fruitless = 0;
        while (true)
        {
            var before = offset;
            Exception? lost = null;
            try
            {
                offset = await PatchAsync(file, location, offset, length, progress, cancel);
            }
            catch (Exception broken) when (IsPassing(broken) && !cancel.IsCancellationRequested)
            {
                lost = broken;
            }

            if (offset == length && lost is null)
            {
                progress(length, length);
                return location.Segments[^1];
            }

            if (lost is not null)
            {
                // The final PATCH is sent again, empty, where all bytes arrived and only its answer was lost.
                await backoff.WaitAsync(cancel);
                offset = await AskOffsetAsync(location, before, length, cancel);
            }

            // An offset may also go back: after a crash the server keeps what it had acknowledged.
            fruitless = offset > before ? 0 : fruitless + 1;
            if (fruitless == 0)
            {
                backoff.Reset();
            }
            else if (fruitless >= MaxFruitlessTries)
            {
                throw client.Unreachable(lost ?? new IOException("the server takes no more bytes"));
            }
        }
    }

    /// <summary>What to say of a file that cannot be opened.</summary>
    public static string CannotRead(string path, Exception refused) => Directory.Exists(path)
        ? $"cannot read {path}: it is a folder. Name a file."
        : $"cannot read {path}: {refused.Message}";

    /// <exception cref="CliException">It cannot be read, or there is nothing in it.</exception>
    public static FileStream Open(string path)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Usage, CannotRead(path, refused), refused);
        }

        if (file.Length > 0)
        {
            return file;
        }

        file.Dispose();
        throw new CliException(ExitCode.Usage, $"{path} is empty: there is nothing to play.");
    }

    private async Task<Uri> CreateAsync(UploadRequest upload, long length, CancellationToken cancel)
    {
        using var request = Tus(HttpMethod.Post, new Uri(client.Address, "/v1/uploads"));
        request.Headers.Add("Upload-Length", length.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("Upload-Metadata", Metadata(upload));
        try
        {
            using var answer = await client.Http.SendAsync(request, cancel);
            return answer.StatusCode == HttpStatusCode.Created && answer.Headers.Location is { } location
                ? new Uri(client.Address, location)
                : throw await client.RefusalAsync(answer, cancel);
        }
        catch (HttpRequestException lost)
        {
            throw client.Unreachable(lost);
        }
    }

    private async Task<long> PatchAsync(
        FileStream file, Uri location, long offset, long length, Action<long, long> progress, CancellationToken cancel)
    {
        using var stall = new CancellationTokenSource(StallLimit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, stall.Token);
        file.Position = offset;
        using var request = Tus(HttpMethod.Patch, location);
        request.Headers.Add("Upload-Offset", offset.ToString(CultureInfo.InvariantCulture));
        request.Content = new FileContent(file, length - offset, sent =>
        {
            stall.CancelAfter(StallLimit);
            progress(offset + sent, length);
        });

        using var answer = await client.Http.SendAsync(request, either.Token);
        if (answer.StatusCode != HttpStatusCode.NoContent)
        {
            if (answer.StatusCode == HttpStatusCode.Conflict || (int)answer.StatusCode is >= 500 and not 507)
            {
                throw new IOException($"the server answered {(int)answer.StatusCode}");
            }

            throw await client.RefusalAsync(answer, cancel);
        }

        return OffsetOf(answer) ?? length;
    }

    private async Task<long> AskOffsetAsync(
        Uri location, long otherwise, long length, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(StallLimit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        try
        {
            using var request = Tus(HttpMethod.Head, location);
            using var answer = await client.Http.SendAsync(request, either.Token);
            if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
            {
                // The last answer may have been what was lost: then the upload is over and its media is there.
                if (await client.ExistsAsync(location.Segments[^1], either.Token))
                {
                    return length;
                }

                throw new CliException(ExitCode.NotFound, "the server no longer knows this upload. Start it again.");
            }

            return OffsetOf(answer) ?? otherwise;
        }
        catch (Exception broken) when (IsPassing(broken) && !cancel.IsCancellationRequested)
        {
            return otherwise;
        }
    }

    private static bool IsPassing(Exception broken) =>
        broken is HttpRequestException or IOException or OperationCanceledException;

    private static long? OffsetOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("Upload-Offset", out var values)
        && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset : null;

    private static HttpRequestMessage Tus(HttpMethod method, Uri address)
    {
        var request = new HttpRequestMessage(method, address);
        request.Headers.Add("Tus-Resumable", "1.0.0");
        return request;
    }

    /// <summary>tus 1.0, creation: comma-separated pairs of a key and a base64 value.</summary>
    private static string Metadata(UploadRequest upload)
    {
        (string Key, string? Value)[] pairs =
        [
            ("filename", Path.GetFileName(upload.File)),
            ("title", upload.Title),
            ("preset", upload.Preset),
            ("policy", upload.Policy),
            ("tags", upload.Tags.Count == 0 ? null : string.Join(',', upload.Tags)),
        ];
        return string.Join(',', pairs.Where(p => !string.IsNullOrEmpty(p.Value))
            .Select(p => $"{p.Key} {Convert.ToBase64String(Encoding.UTF8.GetBytes(p.Value!))}"));
    }

    /// <summary>The rest of the file as a request's body, telling of each piece that went out.</summary>
    private sealed class FileContent : HttpContent
    {
        private readonly FileStream file;
        private readonly long length;
        private readonly Action<long> sent;

        public FileContent(FileStream file, long length, Action<long> sent)
        {
            (this.file, this.length, this.sent) = (file, length, sent);
            Headers.ContentType = new("application/offset+octet-stream");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(
            Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            var buffer = new byte[BufferBytes];
            long done = 0;
            while (done < length)
            {
                var want = (int)Math.Min(buffer.Length, length - done);
                var read = await file.ReadAsync(buffer.AsMemory(0, want), cancellationToken);
                if (read == 0)
                {
                    throw new CliException(ExitCode.Failed, $"{file.Name} became shorter while it was uploaded.");
                }

                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                done += read;
                sent(done);
            }
        }

        protected override bool TryComputeLength(out long bytes)
        {
            bytes = length;
            return true;
        }
    }
}
