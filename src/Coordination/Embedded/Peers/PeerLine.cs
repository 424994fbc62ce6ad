using System.Net.Sockets;
using System.Threading.Channels;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Logging;
using RaftClient = Hexcast.Contracts.V1.Raft.RaftClient;

namespace Hexcast.Coordination.Embedded.Peers;

/// <summary>
/// One stream of messages to one member, opened again when it breaks. Messages that wait when it is down are lost: they
/// are old by the time it is up, and the cores say again what matters.
/// </summary>
internal sealed class PeerLine
{
    /// <summary>Messages that wait for the wire; the oldest are lost beyond it.</summary>
    private const int MaximumWaiting = 1_024;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMilliseconds(500);

    private readonly Channel<RaftMessage> _waiting = Channel.CreateBounded<RaftMessage>(
        new BoundedChannelOptions(MaximumWaiting)
        {
            SingleReader = true,
            FullMode = BoundedChannelFullMode.DropOldest,
        });
    private readonly RaftClient _client;
    private readonly PeerSelf _self;
    private readonly Action _isGone;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly CancellationToken _stop;

    /// <summary>There is something to say, or never will be.</summary>
    private Task<bool>? _next;
    private bool _hasSpoken;
    private bool _hasWarned;

    /// <param name="isGone">Called when nobody listens where the member was: its process has ended.</param>
    public PeerLine(
        RaftClient client, PeerSelf self, Action isGone, TimeProvider clock, ILogger logger, CancellationToken stop)
    {
        (_client, _self, _isGone) = (client, self, isGone);
        (_clock, _logger, _stop) = (clock, logger, stop);
        Ended = RunAsync();
    }

    public Task Ended { get; }

    public void Post(RaftMessage message) => _waiting.Writer.TryWrite(message);

    public void Close() => _waiting.Writer.TryComplete();

    private async Task RunAsync()
    {
        await Task.Yield();
        var backoff = new Backoff(FirstRetry, LastRetry, _clock);
        try
        {
            // Nothing to say: no stream. But where one broke, whether the member is there is asked at once.
            while (_hasSpoken || await NextAsync())
            {
                _hasSpoken = false;
                try
                {
                    await SpeakAsync(backoff);
                }
                // Whatever it is: a line that has ended without a word would leave the member mute.
                catch (Exception broken)
                    when (broken is not OperationCanceledException || !_stop.IsCancellationRequested)
                {
                    _stop.ThrowIfCancellationRequested();
                    Tell(broken);
                    if (IsRefused(broken))
                    {
                        _isGone();
                    }
                    Forget();
                    await backoff.WaitAsync(_stop);
                    Forget();
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    /// <summary>One that is away comes back; one that refuses does so until a person sees to it.</summary>
    private void Tell(Exception broken)
    {
        if (broken is RpcException { StatusCode: StatusCode.FailedPrecondition } refused && !_hasWarned)
        {
            _hasWarned = true;
            _logger.LogWarning("A member takes no messages of this one: {Reason}", refused.Status.Detail);
            return;
        }
        _logger.LogDebug("A member does not take messages: {Reason}", broken.Message);
    }

    private async Task SpeakAsync(Backoff backoff)
    {
        using var call = _client.Say(_self.Headers(), cancellationToken: _stop);
        var answer = call.ResponseAsync;
        while (await Task.WhenAny(NextAsync(), answer) != answer && await NextAsync())
        {
            _next = null;
            while (_waiting.Reader.TryRead(out var message))
            {
                await call.RequestStream.WriteAsync(message, _stop);
                _hasSpoken = true;
            }
            backoff.Reset();
        }
        if (answer.IsCompleted)
        {
            // It has ended the stream: this throws with the reason, or there is a new one.
            await answer;
        }
    }

    /// <summary>By the machine: no process listens there.</summary>
    private static bool IsRefused(Exception broken)
    {
        for (var cause = (broken as RpcException)?.Status.DebugException; cause is not null;
            cause = cause.InnerException)
        {
            if (cause is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
            {
                return true;
            }
        }
        return false;
    }

    private Task<bool> NextAsync() => _next ??= _waiting.Reader.WaitToReadAsync(_stop).AsTask();

    private void Forget()
    {
        while (_waiting.Reader.TryRead(out _))
        {
        }
        _next = _next is { IsCompleted: true } ? null : _next;
    }
}
