using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Platform.Errors;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Embedded;

/// <summary>
/// The shell around <see cref="CoordinatorCore"/>: one loop owns core and log. It takes what waits, steps the core,
/// writes the entries of all of it with one fsync (group commit), steps the core again, and only then answers.
///
///   gRPC handlers ─ queue ─→ [ take all that waits → Step … → log.Append … → one fsync → Step(Persisted) → answers ]
/// </summary>
internal sealed class EmbeddedCoordinator : IAsyncDisposable
{
    /// <summary>Requests that may wait; beyond it a caller is refused by name.</summary>
    public const int MaximumWaiting = 4_096;

    /// <summary>What one fsync carries at most, so that answers do not wait for an endless batch.</summary>
    private const int MaximumBatch = 1_024;

    private const int MaximumBatchBytes = 8 * 1024 * 1024;

    /// <summary>Responses that a watch stream may have waiting: its events are bounded by the hub, control is
    /// not.</summary>
    private const int MaximumWaitingResponses = 4_096;

    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(100);

    private readonly Channel<Incoming> _queue = Channel.CreateBounded<Incoming>(
        new BoundedChannelOptions(MaximumWaiting) { SingleReader = true });
    private readonly Dictionary<long, TaskCompletionSource<Outcome>> _waiting = [];
    private readonly Dictionary<long, WatchConnection> _connections = [];
    private readonly List<CoordinatorEffect> _effects = [];
    private readonly WriteAheadLog _log;
    private readonly CoordinatorCore _core;
    private readonly TimeProvider _clock;
    private readonly long _started;
    private readonly ILogger _logger;
    private readonly Action<Exception> _fatal;
    private ITimer? _timer;
    private Task _loop = Task.CompletedTask;
    private long _lastRequestId;
    private long _lastStreamId;
    private int _tickWaits;
    private volatile bool _stopping;

    private readonly record struct Incoming(
        CoordinatorEvent Event,
        TimeSpan At,
        TaskCompletionSource<Outcome>? Answer = null,
        WatchConnection? Connection = null);

    private EmbeddedCoordinator(
        WriteAheadLog log, CoordinatorCore core, MemberIdentity identity, CoordinatorHost host)
    {
        (_log, _core, Identity) = (log, core, identity);
        (_clock, _logger, _fatal) = (host.Clock, host.Logger, host.Fatal);
        _started = _clock.GetTimestamp();
    }

    public MemberIdentity Identity { get; }

    /// <summary>Recovers what is on the disk, makes a new term durable and leads it; serving when it returns.</summary>
    /// <exception cref="CoordinatorDataException">Something acknowledged may be missing on the disk.</exception>
    public static EmbeddedCoordinator Start(
        IDisk disk, MemberIdentity identity, CoordinatorLimits limits, CoordinatorHost host)
    {
        var log = WriteAheadLog.Open(disk, out var recovered);
        try
        {
            var state = Recovery.Replay(recovered);
            if (recovered.TornBytes > 0)
            {
                host.Logger.LogWarning(
                    "Cut {Bytes} bytes off the coordinator's log: their write was interrupted, nobody was told of it",
                    recovered.TornBytes);
            }
            var term = recovered.HardState.Term + 1;
            log.SetHardState(new HardState { Term = term, Vote = identity.MemberId });
            if (!log.TryFlush())
            {
                throw CannotStart();
            }
            var position = new LogPosition(
                recovered.LastIndex, recovered.Snapshot?.Index ?? 0, recovered.EntryBytes);
            var core = new CoordinatorCore(state, identity, limits, term, position);
            var coordinator = new EmbeddedCoordinator(log, core, identity, host);
            coordinator.Lead(term);
            return coordinator;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    public async Task<TResponse> ProposeAsync<TResponse>(Command command, CancellationToken cancellation)
        where TResponse : class, IMessage =>
        await AskAsync<TResponse>(id => new CoordinatorEvent.Propose(id, command), cancellation);

    public async Task<TResponse> ReadAsync<TResponse>(IMessage request, CancellationToken cancellation)
        where TResponse : class, IMessage =>
        await AskAsync<TResponse>(id => new CoordinatorEvent.Read(id, request), cancellation);

    public async Task<LeaseKeepAliveResponse> KeepAliveAsync(long leaseId, CancellationToken cancellation) =>
        await AskAsync<LeaseKeepAliveResponse>(id => new CoordinatorEvent.KeepAlive(id, leaseId), cancellation);

    public WatchConnection OpenWatch()
    {
        var responses = Channel.CreateBounded<WatchResponse>(
            new BoundedChannelOptions(MaximumWaitingResponses) { SingleReader = true });
        return new WatchConnection(this, Interlocked.Increment(ref _lastStreamId), responses);
    }

    /// <summary>Waits for a place in the queue: a watch event is never refused.</summary>
    /// <returns>False once the coordinator stops.</returns>
    internal async ValueTask<bool> TryPostAsync(CoordinatorEvent @event, WatchConnection connection)
    {
        var incoming = new Incoming(@event, Now, Connection: connection);
        while (await _queue.Writer.WaitToWriteAsync())
        {
            if (_queue.Writer.TryWrite(incoming))
            {
                return true;
            }
        }
        return false;
    }

    public async ValueTask DisposeAsync()
    {
        if (_timer is not null)
        {
            await _timer.DisposeAsync();
        }
        _stopping = true;
        _queue.Writer.TryComplete();
        await _loop;
    }

    private TimeSpan Now => _clock.GetElapsedTime(_started);

    private async Task<TResponse> AskAsync<TResponse>(
        Func<long, CoordinatorEvent> ask, CancellationToken cancellation) where TResponse : class, IMessage
    {
        var answer = new TaskCompletionSource<Outcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        var incoming = new Incoming(ask(Interlocked.Increment(ref _lastRequestId)), Now, answer);
        if (!_queue.Writer.TryWrite(incoming))
        {
            throw Refusal(_stopping ? CoordinatorError.Stopped : CoordinatorError.TooManyRequests);
        }
        var outcome = await answer.Task.WaitAsync(cancellation);
        return outcome.Error == CoordinatorError.None
            ? (TResponse)outcome.Response!
            : throw Refusal(outcome.Error);
    }

    private static CoordinatorDataException CannotStart() =>
        new($"The coordinator cannot start: {StorageFaults.FullMessage}");

    private static RpcException Refusal(CoordinatorError error) => new(CoordinatorErrors.StatusOf(error));

    private void Lead(ulong term)
    {
        var before = _core.AppliedIndex;
        _core.Lead(Now, _effects);
        Commit();
        if (_core.AppliedIndex == before)
        {
            // Refused, so the election key still names the term before this one.
            throw CannotStart();
        }
        _logger.LogInformation(
            "The coordinator leads term {Term} at entry {Index} as {Node}",
            term, _core.AppliedIndex, Identity.NodeName);
        _loop = RunAsync();
        _timer = _clock.CreateTimer(_ => PostTick(), state: null, TickInterval, TickInterval);
    }

    private void PostTick()
    {
        // One waiting tick is enough: it carries the time at which it is handled.
        if (Interlocked.Exchange(ref _tickWaits, 1) == 0
            && !_queue.Writer.TryWrite(new Incoming(new CoordinatorEvent.Tick(), Now)))
        {
            Volatile.Write(ref _tickWaits, 0);
        }
    }

    private async Task RunAsync()
    {
        // The caller starts the loop and must not become it.
        await Task.Yield();
        try
        {
            while (await _queue.Reader.WaitToReadAsync())
            {
                StepAllThatWaits();
                Commit();
            }
            FailAll(CoordinatorError.Stopped);
        }
        catch (Exception exception)
        {
            // A failed write or fsync, or a broken invariant: what is durable is unknown now, so nothing is answered
            // any more and the process ends. The next one recovers from the log.
            _stopping = true;
            _queue.Writer.TryComplete();
            FailAll(CoordinatorError.Stopped);
            // First what ends the process: it must not depend on a line that can be written to the same disk.
            _fatal(new CoordinatorDataException(
                $"The coordinator cannot go on: {exception.Message} Nothing that was acknowledged is lost. " +
                "Check the disk under the data folder, then start Hexcast again.", exception));
            _logger.LogCritical(exception, "The coordinator cannot go on: {Reason}", exception.Message);
        }
        finally
        {
            _log.Dispose();
        }
    }

    private void StepAllThatWaits()
    {
        var bytes = 0;
        for (var i = 0; i < MaximumBatch && bytes < MaximumBatchBytes && _queue.Reader.TryRead(out var incoming); i++)
        {
            switch (incoming.Event)
            {
                case CoordinatorEvent.Propose propose:
                    _waiting.Add(propose.RequestId, incoming.Answer!);
                    bytes += propose.Command.CalculateSize();
                    break;
                case CoordinatorEvent.Read read:
                    _waiting.Add(read.RequestId, incoming.Answer!);
                    break;
                case CoordinatorEvent.KeepAlive keepAlive:
                    _waiting.Add(keepAlive.RequestId, incoming.Answer!);
                    break;
                case CoordinatorEvent.WatchAsked asked:
                    _connections.TryAdd(asked.StreamId, incoming.Connection!);
                    break;
                case CoordinatorEvent.WatchClosed closed:
                    _connections.Remove(closed.StreamId);
                    break;
                case CoordinatorEvent.Tick:
                    Volatile.Write(ref _tickWaits, 0);
                    CoordinationTelemetry.Note(_core.Figures);
                    break;
            }
            _core.Step(incoming.Event, incoming.At, _effects);
        }
    }

    /// <summary>Executes effects until there are none: entries first, then one fsync for all of them.</summary>
    private void Commit()
    {
        while (_effects.Count > 0)
        {
            CoordinatorEffect[] effects = [.. _effects];
            _effects.Clear();
            ulong appended = 0;
            var entries = 0;
            foreach (var effect in effects)
            {
                switch (effect)
                {
                    case CoordinatorEffect.Append append:
                        _log.Append(append.Entry);
                        appended = append.Entry.Index;
                        entries++;
                        break;
                    case CoordinatorEffect.Reply reply when _waiting.Remove(reply.RequestId, out var answer):
                        answer.TrySetResult(reply.Outcome);
                        break;
                    case CoordinatorEffect.SendWatch send:
                        _connections.GetValueOrDefault(send.StreamId)?.Deliver(send.Response);
                        break;
                    case CoordinatorEffect.SaveSnapshot save:
                        var saved = _log.TrySave(save.Snapshot);
                        _core.Step(new CoordinatorEvent.SnapshotDone(save.Snapshot.Index, saved), Now, _effects);
                        break;
                }
            }
            if (appended > 0)
            {
                var started = _clock.GetTimestamp();
                var stored = _log.TryFlush();
                CoordinationTelemetry.NoteSync(_clock.GetElapsedTime(started), entries, stored);
                CoordinatorEvent outcome = stored
                    ? new CoordinatorEvent.Persisted(appended)
                    : new CoordinatorEvent.AppendRefused(_core.AppliedIndex);
                _core.Step(outcome, Now, _effects);
            }
        }
    }

    private void FailAll(CoordinatorError error)
    {
        while (_queue.Reader.TryRead(out var incoming))
        {
            incoming.Answer?.TrySetResult(new Outcome(null, error));
            incoming.Connection?.End(error);
        }
        foreach (var answer in _waiting.Values)
        {
            answer.TrySetResult(new Outcome(null, error));
        }
        foreach (var connection in _connections.Values)
        {
            connection.End(error);
        }
        _waiting.Clear();
        _connections.Clear();
    }
}

/// <summary>What the shell gets from its process.</summary>
/// <param name="Fatal">Ends the process; called once, when nothing can be written any more.</param>
internal sealed record CoordinatorHost(TimeProvider Clock, ILogger Logger, Action<Exception> Fatal);
