using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Peers;
using Hexcast.Platform.Errors;
using Hexcast.Raft;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Embedded;

/// <summary>What the shell gets from its process.</summary>
/// <param name="Fatal">Ends the process; called once, when nothing can be written any more.</param>
/// <param name="Seed">Different in each process that runs as this member.</param>
internal sealed record CoordinatorHost(TimeProvider Clock, ILogger Logger, Action<Exception> Fatal, ulong Seed);

/// <summary>
/// The shell around <see cref="CoordinatorCore"/>: a thread for the core, one for its log, one for its snapshots. The
/// core never waits for a disk, so its heartbeats do not either. What comes while an fsync runs goes into the next one.
///
///   gRPC handlers, peers ─→ [ core: Step ] ─→ answers, peers
///                              │    ▲
///                     Persist  ▼    │ Persisted
///                           [ log: one write, one fsync for all that waits ]
/// </summary>
internal sealed class EmbeddedCoordinator : IAsyncDisposable
{
    /// <summary>Requests that may wait; beyond it a caller is refused by name.</summary>
    public const int MaximumWaiting = 4_096;

    /// <summary>What waits of the members' messages; beyond it they are lost, as by a bad network.</summary>
    private const int MaximumWaitingMessages = 16_384;

    /// <summary>Responses that a watch stream may have waiting: its events are bounded by the hub, control is
    /// not.</summary>
    private const int MaximumWaitingResponses = 4_096;

    private readonly Dictionary<long, TaskCompletionSource<MemberAnswer>> _waiting = [];
    private readonly Dictionary<long, WatchConnection> _connections = [];
    private readonly List<CoordinatorEvent> _events = [];
    private readonly List<CoordinatorEffect> _effects = [];
    private readonly CoordinatorCore _core;
    private readonly CoordinatorLanes _disk;
    private readonly Lane<Incoming> _lane;
    private readonly IPeers _peers;
    private readonly TimeProvider _clock;
    private readonly long _started;
    private readonly ILogger _logger;
    private readonly Action<Exception> _fatal;
    private readonly TaskCompletionSource _established = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource _leaderMoved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Standing _standing;
    private long _lastRequestId;
    private long _lastStreamId;
    private volatile bool _stopping;
    private bool _isLeaderless;

    private readonly record struct Incoming(
        CoordinatorEvent Event,
        TaskCompletionSource<MemberAnswer>? Answer = null,
        WatchConnection? Connection = null);

    private EmbeddedCoordinator(
        IDisk disk, DurableLog log, CoordinatorCore core, MemberIdentity identity, IPeers peers, CoordinatorHost host)
    {
        (_core, Identity, _peers) = (core, identity, peers);
        (_clock, _logger, _fatal) = (host.Clock, host.Logger, host.Fatal);
        _started = _clock.GetTimestamp();
        _standing = new Standing(
            0, 0, false, core.Members, core.KnownMembers, core.Matches, core.IsSoughtElsewhere);
        _disk = new CoordinatorLanes(disk, log, _clock, Post, Fail);
        _lane = new Lane<Incoming>("coordinator", () => core.Deadline - Now, StepOn, Fail, EndAll);
    }

    public MemberIdentity Identity { get; }

    /// <summary>As of the last step.</summary>
    public Standing Standing => _standing;

    /// <summary>Its task ends when <see cref="Standing"/> names another leader, or none.</summary>
    public Task LeaderMoved => _leaderMoved.Task;

    /// <summary>Its task ends when this member leads for the first time and everything before its term is applied; it
    /// faults where it cannot come to that. A member that only follows never ends it.</summary>
    public Task Established => _established.Task;

    /// <summary>Recovers what is on the disk and begins to take part in the group.</summary>
    /// <exception cref="CoordinatorDataException">Something acknowledged may be missing on the disk, and nobody else
    /// has it.</exception>
    public static EmbeddedCoordinator Start(
        IDisk disk, MemberIdentity identity, MemberRecord record, CoordinatorLimits limits, IPeers peers,
        CoordinatorHost host)
    {
        var opened = OpenedLog.Open(disk, record, host.Logger);
        try
        {
            var core = new CoordinatorCore(identity, limits, host.Seed, opened.Recovery, now: TimeSpan.Zero);
            var coordinator = new EmbeddedCoordinator(disk, opened.Log, core, identity, peers, host);
            peers.Follow([.. record.Members, .. core.KnownMembers], core.Members);
            coordinator.Begin(opened.UnreadableFrom);
            return coordinator;
        }
        catch
        {
            opened.Log.Dispose();
            throw;
        }
    }

    public Task<MemberAnswer> AskAsync(Func<long, CoordinatorEvent> ask, CancellationToken cancellation)
    {
        var answer = new TaskCompletionSource<MemberAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var incoming = new Incoming(ask(Interlocked.Increment(ref _lastRequestId)), answer);
        if (!_lane.TryPost(incoming, MaximumWaiting))
        {
            throw Refusal(_stopping ? CoordinatorError.Stopped : CoordinatorError.TooManyRequests);
        }
        return answer.Task.WaitAsync(cancellation);
    }

    /// <summary>A message of another member.</summary>
    public void Receive(Hexcast.Raft.RaftMessage message) => _lane.TryPost(
        new Incoming(new CoordinatorEvent.ForRaft(new RaftEvent.Received(message))), MaximumWaitingMessages);

    /// <summary>The process of another member has ended.</summary>
    public void Miss(ulong member) => _lane.TryPost(
        new Incoming(new CoordinatorEvent.ForRaft(new RaftEvent.MemberGone(member))), MaximumWaitingMessages);

    public WatchConnection OpenWatch()
    {
        var responses = Channel.CreateBounded<WatchResponse>(
            new BoundedChannelOptions(MaximumWaitingResponses) { SingleReader = true });
        return new WatchConnection(this, Interlocked.Increment(ref _lastStreamId), responses);
    }

    /// <summary>A watch event is never refused; it is handled when the task ends.</summary>
    /// <returns>False once the coordinator stops.</returns>
    internal async ValueTask<bool> TryPostAsync(CoordinatorEvent @event, WatchConnection connection)
    {
        var handled = new TaskCompletionSource<MemberAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        return _lane.TryPost(new Incoming(@event, handled, connection)) && !(await handled.Task).IsStopped;
    }

    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        _lane.Close();
        await _lane.Ended;
        await _disk.StopAsync();
    }

    private TimeSpan Now => _clock.GetElapsedTime(_started);

    internal static RpcException Refusal(CoordinatorError error) => new(CoordinatorErrors.StatusOf(error));

    private void Begin(ulong unreadableFrom)
    {
        if (unreadableFrom > 0)
        {
            Post(new CoordinatorEvent.ForRaft(new RaftEvent.LogUnreadable(unreadableFrom)));
        }
        Post(new CoordinatorEvent.Tick());
        _disk.Start();
        _lane.Start();
    }

    private void Post(CoordinatorEvent happened) => _lane.TryPost(new Incoming(happened));

    private void StepOn(IReadOnlyList<Incoming> taken)
    {
        foreach (var incoming in taken)
        {
            Register(incoming);
            _events.Add(incoming.Event);
        }
        var now = Now;
        if (now >= _core.Deadline)
        {
            _events.Add(new CoordinatorEvent.Tick());
            CoordinationTelemetry.Note(_core.Figures);
            Stand();
            TellWhenLeaderless();
        }
        _core.Step(_events, now, _effects);
        _events.Clear();
        foreach (var effect in _effects)
        {
            CarryOut(effect);
        }
        _effects.Clear();
        foreach (var incoming in taken)
        {
            if (incoming.Connection is not null)
            {
                incoming.Answer?.TrySetResult(default);
            }
        }
    }

    private void Register(Incoming incoming)
    {
        switch (incoming.Event)
        {
            case CoordinatorEvent.Propose propose:
                _waiting.Add(propose.RequestId, incoming.Answer!);
                break;
            case CoordinatorEvent.Read read:
                _waiting.Add(read.RequestId, incoming.Answer!);
                break;
            case CoordinatorEvent.KeepAlive keepAlive:
                _waiting.Add(keepAlive.RequestId, incoming.Answer!);
                break;
            case CoordinatorEvent.ForRaft { Event: RaftEvent.ChangeMembers { RequestId: > 0 } change }:
                _waiting.Add(change.RequestId, incoming.Answer!);
                break;
            case CoordinatorEvent.ForRaft { Event: RaftEvent.TransferLeadership { RequestId: > 0 } transfer }:
                _waiting.Add(transfer.RequestId, incoming.Answer!);
                break;
            case CoordinatorEvent.WatchAsked asked:
                _connections.TryAdd(asked.StreamId, incoming.Connection!);
                break;
            case CoordinatorEvent.WatchClosed closed:
                _connections.Remove(closed.StreamId);
                break;
            case CoordinatorEvent.ForRaft { Event: RaftEvent.WriteRefused } when !_established.Task.IsCompleted:
                // The election key still names the term before this one.
                _established.TrySetException(
                    new CoordinatorDataException($"The coordinator cannot start: {StorageFaults.FullMessage}"));
                break;
        }
    }

    private void CarryOut(CoordinatorEffect effect)
    {
        switch (effect)
        {
            case CoordinatorEffect.Reply reply when _waiting.Remove(reply.RequestId, out var answer):
                answer.TrySetResult(new MemberAnswer(reply.Outcome));
                break;
            case CoordinatorEffect.Redirect redirect when _waiting.Remove(redirect.RequestId, out var answer):
                answer.TrySetResult(new MemberAnswer(default, redirect.Leader));
                break;
            case CoordinatorEffect.Refuse refuse when _waiting.Remove(refuse.RequestId, out var answer):
                answer.TrySetResult(new MemberAnswer(default, Refused: refuse.Error));
                break;
            case CoordinatorEffect.SendWatch send:
                _connections.GetValueOrDefault(send.StreamId)?.Deliver(send.Response);
                break;
            case CoordinatorEffect.EndWatch end:
                _connections.GetValueOrDefault(end.StreamId)?.End(end.Error);
                break;
            case CoordinatorEffect.SaveSnapshot save:
                _disk.Save(save.Snapshot);
                break;
            case CoordinatorEffect.MembersChanged changed:
                _peers.Follow(changed.Members, _core.Members);
                // While the log is applied again, they come one by one.
                if (_core.Members.All.All(id => changed.Members.Any(member => member.Id == id)))
                {
                    _disk.RememberMembers(changed.Members);
                }
                Stand();
                break;
            case CoordinatorEffect.OfRaft { Effect: RaftEffect.Send send }:
                _peers.Send(send.To, send.Message);
                break;
            case CoordinatorEffect.OfRaft { Effect: RaftEffect.LeaderChanged changed }:
                Stand();
                Tell(changed);
                break;
            case CoordinatorEffect.OfRaft raft:
                _disk.Take(raft.Effect);
                break;
            case CoordinatorEffect.TermBegan:
                _established.TrySetResult();
                break;
        }
    }

    private void Stand()
    {
        var before = _standing;
        _standing = new Standing(
            _core.Term, _core.Leader, _core.IsLeaderless, _core.Members, _core.KnownMembers, _core.Matches,
            _core.IsSoughtElsewhere);
        if (before.Leader != _standing.Leader)
        {
            var moved = _leaderMoved;
            _leaderMoved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            moved.TrySetResult();
        }
    }

    private void Tell(RaftEffect.LeaderChanged changed)
    {
        if (changed.Role == RaftRole.Leader)
        {
            _logger.LogInformation(
                "The coordinator leads term {Term} at entry {Index} as {Node}",
                changed.Term, _core.AppliedIndex, Identity.NodeName);
        }
        else if (changed.Leader != 0)
        {
            var leader = _core.KnownMembers.FirstOrDefault(member => member.Id == changed.Leader);
            _logger.LogInformation(
                "The coordinator follows {Leader} in term {Term}", leader?.Node ?? "a new member", changed.Term);
        }
    }

    // Who leads again, Tell says.
    private void TellWhenLeaderless()
    {
        if (_core.IsLeaderless && !_isLeaderless)
        {
            _logger.LogWarning(
                "No majority of the {Voters} voters answers this node since term {Term}: nobody leads the " +
                "coordinator, nothing is scheduled and no write is taken until one does",
                _core.Members.Voters.Count, _core.Term);
        }
        _isLeaderless = _core.IsLeaderless;
    }

    private void Fail(Exception exception)
    {
        // A failed write or fsync, or a broken invariant: what is durable is unknown now, so nothing is answered any
        // more and the process ends. The next one recovers from the log.
        _stopping = true;
        _lane.Close();
        _established.TrySetException(exception);
        // First what ends the process: it must not depend on a line that can be written to the same disk.
        _fatal(new CoordinatorDataException(
            $"The coordinator cannot go on: {exception.Message} Nothing that was acknowledged is lost. " +
            "Check the disk under the data folder, then start Hexcast again.", exception));
        _logger.LogCritical(exception, "The coordinator cannot go on: {Reason}", exception.Message);
    }

    private void EndAll(IReadOnlyList<Incoming> left)
    {
        var stopped = new MemberAnswer(new Outcome(null, CoordinatorError.Stopped));
        foreach (var incoming in left)
        {
            incoming.Answer?.TrySetResult(stopped);
            incoming.Connection?.End(CoordinatorError.Stopped);
        }
        foreach (var answer in _waiting.Values)
        {
            answer.TrySetResult(stopped);
        }
        foreach (var connection in _connections.Values)
        {
            connection.End(CoordinatorError.Stopped);
        }
    }
}
