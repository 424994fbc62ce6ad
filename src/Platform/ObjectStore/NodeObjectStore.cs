using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;

namespace Hexcast.Platform.ObjectStore;

/// <summary>
/// The objects of the node that runs the role upload, wherever that one is (<see cref="ObjectEndpoint"/>). While it is
/// away what is asked waits for it, up to a limit. What is written is gathered here first: it can be sent again.
/// </summary>
internal sealed class NodeObjectStore : IObjectStore, IDisposable
{
    private const string Holder = "upload";
    private const int LineLimit = 1_024;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);

    private readonly IRoleRoutes routes;
    private readonly NodeChannels channels;
    private readonly string outgoing;
    private readonly TimeProvider clock;
    private readonly TimeSpan patience;
    private readonly Lock turn = new();
    private (RolePlace Place, HttpClient Client)? link;
    private long nextName;

    /// <param name="outgoing">A folder of its own for what is being written.</param>
    public NodeObjectStore(
        IRoleRoutes routes, NodeChannels channels, string outgoing, TimeProvider clock, TimeSpan? patience = null)
    {
        (this.routes, this.channels, this.outgoing, this.clock) = (routes, channels, outgoing, clock);
        this.patience = patience ?? Patience;
        // What a crashed process was writing is nobody's.
        foreach (var left in Directory.GetFiles(outgoing))
        {
            File.Delete(left);
        }
    }

    public Task<ObjectWriter> CreateAsync(string key, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        ObjectKey.Check(key);
        var file = Path.Combine(outgoing, Interlocked.Increment(ref nextName).ToString(CultureInfo.InvariantCulture));
        return Task.FromResult<ObjectWriter>(new GatheredObject(this, key, file));
    }

    public async Task AdoptFileAsync(string key, string path, CancellationToken cancel)
    {
        ObjectKey.Check(key);
        await using (var file = OpenToSend(path))
        {
            var hash = await SHA256.HashDataAsync(file, cancel);
            await PutAsync(key, path, hash, cancel);
        }

        File.Delete(path);
    }

    public async Task<Stream?> OpenReadAsync(string key, long offset, CancellationToken cancel)
    {
        ObjectKey.Check(key);
        var answer = await AskAsync(
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Get, PathOf(key));
                request.Headers.Range = offset > 0 ? new RangeHeaderValue(offset, null) : null;
                return request;
            },
            AnswerTime, cancel);
        switch (answer.StatusCode)
        {
            case HttpStatusCode.NotFound:
                answer.Dispose();
                return null;
            case HttpStatusCode.RequestedRangeNotSatisfiable:
                answer.Dispose();
                return Stream.Null;
            default:
                await RequireSuccessAsync(answer, cancel);
                ObjectStoreTelemetry.NoteOpened();
                var length = answer.Content.Headers.ContentRange?.Length ?? answer.Content.Headers.ContentLength ?? 0;
                return new ObjectBody(answer, await answer.Content.ReadAsStreamAsync(cancel), length);
        }
    }

    public async Task<ObjectInfo?> StatAsync(string key, CancellationToken cancel)
    {
        ObjectKey.Check(key);
        using var answer = await AskAsync(
            () => new HttpRequestMessage(HttpMethod.Head, PathOf(key)), AnswerTime, cancel);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        await RequireSuccessAsync(answer, cancel);
        return new ObjectInfo(key, answer.Content.Headers.ContentLength ?? 0);
    }

    public Task DeleteAsync(string key, CancellationToken cancel)
    {
        ObjectKey.Check(key);
        return DeletePathAsync("delete", PathOf(key), cancel);
    }

    public Task DeletePrefixAsync(string prefix, CancellationToken cancel)
    {
        ObjectKey.Check(prefix.TrimEnd('/'));
        return DeletePathAsync("delete_prefix", PathOf($"{prefix.TrimEnd('/')}/"), cancel);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (prefix.Length > 0)
        {
            ObjectKey.Check(prefix.TrimEnd('/'));
        }

        using var answer = await AskAsync(
            () => new HttpRequestMessage(HttpMethod.Get, $"{ObjectEndpoint.Path}?prefix={prefix}"),
            AnswerTime, cancel);
        await RequireSuccessAsync(answer, cancel);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(cancel));
        while (await lines.ReadLineAsync(cancel) is { Length: <= LineLimit } line)
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            yield return new ObjectInfo(
                line[(space + 1)..], long.Parse(line.AsSpan(0, space), CultureInfo.InvariantCulture));
        }
    }

    public string? LocalPath(string key) => null;

    public void Dispose() => link?.Client.Dispose();

    internal async Task PutAsync(string key, string path, byte[] sha256, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        var length = new FileInfo(path).Length;
        using var answer = await AskAsync(
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Put, PathOf(key))
                {
                    Content = new StreamContent(OpenToSend(path)),
                };
                request.Content.Headers.ContentLength = length;
                request.Headers.Add(ObjectEndpoint.DigestHeader, ObjectEndpoint.DigestOf(sha256));
                return request;
            },
            Timeout.InfiniteTimeSpan, cancel);
        await RequireSuccessAsync(answer, cancel);
        ObjectStoreTelemetry.Note("commit", clock.GetElapsedTime(started));
        ObjectStoreTelemetry.NoteWritten(length);
    }

    private async Task DeletePathAsync(string operation, string path, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        using var answer = await AskAsync(() => new HttpRequestMessage(HttpMethod.Delete, path), AnswerTime, cancel);
        await RequireSuccessAsync(answer, cancel);
        ObjectStoreTelemetry.Note(operation, clock.GetElapsedTime(started));
    }

    /// <summary>
    /// Asks until there is an answer that is no "not now": everything here may be asked twice, for an object that is
    /// there already is only put there again.
    /// </summary>
    private async Task<HttpResponseMessage> AskAsync(
        Func<HttpRequestMessage> make, TimeSpan answerTime, CancellationToken cancel)
    {
        var began = clock.GetTimestamp();
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (true)
        {
            string why;
            using var limit = new CancellationTokenSource(answerTime, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
            try
            {
                if (Find() is { } client)
                {
                    using var request = make();
                    var answer = await client.SendAsync(
                        request, HttpCompletionOption.ResponseHeadersRead, either.Token);
                    if (answer.StatusCode != HttpStatusCode.ServiceUnavailable)
                    {
                        return answer;
                    }

                    answer.Dispose();
                    why = "it has too much to do";
                }
                else
                {
                    why = $"no node that runs {Holder} is known";
                }
            }
            catch (Exception failed) when (failed is HttpRequestException or ObjectDisposedException
                || (failed is OperationCanceledException && !cancel.IsCancellationRequested))
            {
                why = failed.Message;
            }

            if (clock.GetElapsedTime(began) > patience)
            {
                throw new HexcastException(ErrorCodes.Unavailable, $"The node with the objects does not answer: {why}");
            }

            await backoff.WaitAsync(cancel);
        }
    }

    private HttpClient? Find()
    {
        if (routes.PlaceOf(Holder) is not { } place)
        {
            return null;
        }

        lock (turn)
        {
            if (link?.Place != place)
            {
                // Who still asks the place before asks again.
                link?.Client.Dispose();
                link = (place, channels.OpenHttp(place));
            }

            return link.Value.Client;
        }
    }

    private static async Task RequireSuccessAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        if (answer.IsSuccessStatusCode)
        {
            return;
        }

        using (answer)
        {
            var (code, detail) = (ErrorCodes.Internal, $"The node with the objects answered {answer.StatusCode}.");
            if (answer.Content.Headers.ContentType?.MediaType == "application/problem+json")
            {
                using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(cancel));
                code = problem.RootElement.GetProperty("code").GetString() ?? code;
                detail = problem.RootElement.GetProperty("detail").GetString() ?? detail;
            }

            throw new HexcastException(code, detail);
        }
    }

    // A key is what may stand in a path as it is.
    private static string PathOf(string key) => $"{ObjectEndpoint.Path}/{key}";

    private static FileStream OpenToSend(string path) => new(
        path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);

    /// <summary>The bytes of an answer, which knows how long the whole object is.</summary>
    private sealed class ObjectBody(HttpResponseMessage answer, Stream body, long length) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            body.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(
            byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            body.ReadAsync(buffer, offset, count, cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => body.Read(buffer, offset, count);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                body.Dispose();
                answer.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
