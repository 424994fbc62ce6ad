using Grpc.Core;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>A raw watch stream, read with a limit.</summary>
internal sealed class WatchSession : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly CancellationTokenSource _cancellation = new(Limit);
    private readonly AsyncDuplexStreamingCall<WatchRequest, WatchResponse> _call;

    public WatchSession(CoordinatorServer server) =>
        _call = server.Watches.Watch(cancellationToken: _cancellation.Token);

    public async Task<WatchResponse> CreateAsync(WatchCreateRequest request)
    {
        await _call.RequestStream.WriteAsync(new WatchRequest { CreateRequest = request });
        return await ReadAsync();
    }

    public Task WriteAsync(WatchRequest request) => _call.RequestStream.WriteAsync(request);

    public Task CompleteAsync() => _call.RequestStream.CompleteAsync();

    public async Task<WatchResponse> ReadAsync()
    {
        (await _call.ResponseStream.MoveNext(_cancellation.Token)).ShouldBeTrue("the watch stream ended");
        return _call.ResponseStream.Current;
    }

    public async Task<List<Event>> ReadEventsAsync(int count)
    {
        var events = new List<Event>();
        while (events.Count < count)
        {
            events.AddRange((await ReadAsync()).Events);
        }
        events.Count.ShouldBe(count);
        return events;
    }

    public void Dispose()
    {
        _call.Dispose();
        _cancellation.Dispose();
    }
}
