using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Peers;
using Hexcast.Raft;
using Change = Hexcast.Contracts.V1.AskLeaderRequest.Types.MembersChange;
using Empty = Google.Protobuf.WellKnownTypes.Empty;

namespace Hexcast.Coordination.Embedded;

/// <summary>
/// What clients ask, done here if this member can, and otherwise by the leader. A request that nobody has begun is
/// asked again; one that may have been done, only if that does no harm.
/// </summary>
internal sealed class Requests(EmbeddedCoordinator here, IPeers peers, TimeProvider clock)
{
    /// <summary>Longer than an election: a request that comes during one need not fail.</summary>
    private static readonly TimeSpan LeaderPatience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(50);

    public Task<TResponse> ProposeAsync<TResponse>(Command command, CancellationToken cancellation)
        where TResponse : class, IMessage<TResponse>, new() => DoAsync<TResponse>(
            id => new CoordinatorEvent.Propose(id, command),
            () => new AskLeaderRequest { Command = command.ToByteString() },
            isRepeatable: false,
            cancellation);

    /// <summary>A Range, a Txn of reads, LeaseTimeToLive, LeaseLeases or Status.</summary>
    public Task<TResponse> ReadAsync<TResponse>(IMessage request, CancellationToken cancellation)
        where TResponse : class, IMessage<TResponse>, new() => DoAsync<TResponse>(
            id => new CoordinatorEvent.Read(id, request),
            request switch
            {
                LeaseTimeToLiveRequest look => () => new AskLeaderRequest { Look = look },
                LeaseLeasesRequest leases => () => new AskLeaderRequest { Leases = leases },
                // Read here, once the leader has said where the log stands; by the leader if that does not come.
                RangeRequest range => () => new AskLeaderRequest { Range = range },
                TxnRequest reads => () => new AskLeaderRequest { Reads = reads },
                _ => null,
            },
            isRepeatable: true,
            cancellation);

    public Task<LeaseKeepAliveResponse> KeepAliveAsync(long leaseId, CancellationToken cancellation) =>
        DoAsync<LeaseKeepAliveResponse>(
            id => new CoordinatorEvent.KeepAlive(id, leaseId),
            () => new AskLeaderRequest { KeepAlive = leaseId },
            isRepeatable: true,
            cancellation);

    /// <exception cref="RpcException">FAILED_PRECONDITION: the members stay as they are, and why; ABORTED:
    /// another change is under way.</exception>
    public Task ChangeMembersAsync(MemberChange change, ulong member, CancellationToken cancellation) =>
        DoAsync<Empty>(
            id => new CoordinatorEvent.ForRaft(new RaftEvent.ChangeMembers(id, change, member)),
            () => new AskLeaderRequest
            {
                ChangeMembers = new Change
                {
                    Kind = change == MemberChange.Remove ? Change.Types.Kind.Remove : Change.Types.Kind.AddLearner,
                    Member = member,
                },
            },
            isRepeatable: false,
            cancellation);

    /// <param name="ofTerm">The term that this member leads, if it alone is to hand over; 0: whoever leads.</param>
    /// <exception cref="RpcException">FAILED_PRECONDITION: that member does not lead yet, and why; where it was out of
    /// time it still may.</exception>
    public Task TransferAsync(ulong to, ulong ofTerm, CancellationToken cancellation) => DoAsync<Empty>(
        id => new CoordinatorEvent.ForRaft(new RaftEvent.TransferLeadership(id, to, ofTerm)),
        () => new AskLeaderRequest { TransferTo = to },
        isRepeatable: false,
        cancellation);

    /// <summary>What another member asks this one for, which it takes for the leader.</summary>
    public async Task<AskLeaderResponse> AnswerAsync(AskLeaderRequest request, CancellationToken cancellation)
    {
        var answer = await here.AskAsync(id => request.RequestCase switch
        {
            AskLeaderRequest.RequestOneofCase.Command =>
                new CoordinatorEvent.Propose(id, Checked(Command.Parser.ParseFrom(request.Command))),
            AskLeaderRequest.RequestOneofCase.KeepAlive => new CoordinatorEvent.KeepAlive(id, request.KeepAlive),
            AskLeaderRequest.RequestOneofCase.Look => new CoordinatorEvent.Read(id, request.Look),
            AskLeaderRequest.RequestOneofCase.Leases => new CoordinatorEvent.Read(id, request.Leases),
            AskLeaderRequest.RequestOneofCase.Range =>
                new CoordinatorEvent.Read(id, Checked(request.Range, RequestRules.Check(request.Range))),
            AskLeaderRequest.RequestOneofCase.Reads when RequestRules.IsReadOnly(request.Reads) =>
                new CoordinatorEvent.Read(id, Checked(request.Reads, RequestRules.Check(request.Reads))),
            AskLeaderRequest.RequestOneofCase.ChangeMembers => new CoordinatorEvent.ForRaft(
                new RaftEvent.ChangeMembers(id, request.ChangeMembers.Kind == Change.Types.Kind.Remove
                    ? MemberChange.Remove
                    : MemberChange.AddLearner, request.ChangeMembers.Member)),
            AskLeaderRequest.RequestOneofCase.TransferTo => new CoordinatorEvent.ForRaft(
                new RaftEvent.TransferLeadership(id, request.TransferTo)),
            _ => throw new RpcException(new Status(
                StatusCode.Unimplemented, "This version does not know the request.")),
        }, cancellation);
        return answer switch
        {
            { Leader: { } leader } => new AskLeaderResponse { Leader = leader },
            { Refused: not RaftError.None } => new AskLeaderResponse { Refusal = answer.Refused.ToString() },
            { Outcome.Error: not CoordinatorError.None } =>
                new AskLeaderResponse { Error = answer.Outcome.Error.ToString() },
            _ => new AskLeaderResponse { Response = answer.Outcome.Response?.ToByteString() ?? ByteString.Empty },
        };
    }

    /// <summary>What stands in the log every member has to be able to apply: nothing gets there unlooked at.</summary>
    private static Command Checked(Command command)
    {
        var error = command.KindCase switch
        {
            Command.KindOneofCase.Put => RequestRules.Check(command.Put),
            Command.KindOneofCase.DeleteRange => RequestRules.Check(command.DeleteRange),
            Command.KindOneofCase.Txn => RequestRules.Check(command.Txn),
            Command.KindOneofCase.Compact or Command.KindOneofCase.LeaseGrant or Command.KindOneofCase.LeaseRevoke
                or Command.KindOneofCase.MemberPut or Command.KindOneofCase.MemberRemove => CoordinatorError.None,
            _ => throw new RpcException(new Status(
                StatusCode.Unimplemented, "This version does not know the command, or nobody may ask for it.")),
        };
        return Checked(command, error);
    }

    private static T Checked<T>(T request, CoordinatorError error) =>
        error == CoordinatorError.None ? request : throw EmbeddedCoordinator.Refusal(error);

    private async Task<TResponse> DoAsync<TResponse>(
        Func<long, CoordinatorEvent> ask, Func<AskLeaderRequest>? forLeader, bool isRepeatable,
        CancellationToken cancellation) where TResponse : class, IMessage<TResponse>, new()
    {
        var since = clock.GetTimestamp();
        while (true)
        {
            var answer = await here.AskAsync(ask, cancellation);
            if (answer.Leader is not { } leader)
            {
                return ResponseOf<TResponse>(answer);
            }
            if (leader != 0 && leader != here.Identity.MemberId && forLeader is not null
                && await AskLeaderAsync<TResponse>(leader, forLeader(), isRepeatable, cancellation) is { } response)
            {
                return response;
            }
            if (clock.GetElapsedTime(since) > LeaderPatience)
            {
                throw EmbeddedCoordinator.Refusal(CoordinatorError.NoLeader);
            }
            await WaitForLeaderAsync(leader, cancellation);
        }
    }

    /// <returns>Null: not done, and it may be asked again.</returns>
    private async Task<TResponse?> AskLeaderAsync<TResponse>(
        ulong leader, AskLeaderRequest request, bool isRepeatable, CancellationToken cancellation)
        where TResponse : class, IMessage<TResponse>, new()
    {
        AskLeaderResponse? answer;
        try
        {
            answer = await peers.AskLeaderAsync(leader, request, cancellation);
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.ResourceExhausted)
        {
            // Too large is the answer; of what is not to be repeated that says that it may have been done.
            var error = CoordinatorErrors.NameOf(refused);
            throw EmbeddedCoordinator.Refusal(error == CoordinatorError.RequestTooLarge && !isRepeatable
                ? CoordinatorError.LeaderLost
                : error);
        }
        catch (RpcException) when (!cancellation.IsCancellationRequested)
        {
            return RequestCourse.MayRepeat(isRepeatable)
                ? null
                : throw EmbeddedCoordinator.Refusal(CoordinatorError.LeaderLost);
        }
        if (answer is null)
        {
            return null;
        }
        return answer.OutcomeCase switch
        {
            AskLeaderResponse.OutcomeOneofCase.Leader => null,
            AskLeaderResponse.OutcomeOneofCase.Refusal => throw Refusal(
                Enum.TryParse<RaftError>(answer.Refusal, out var refused) ? refused : RaftError.None),
            AskLeaderResponse.OutcomeOneofCase.Error => throw EmbeddedCoordinator.Refusal(
                Enum.TryParse<CoordinatorError>(answer.Error, out var error) ? error : CoordinatorError.LeaderLost),
            _ => new MessageParser<TResponse>(() => new TResponse()).ParseFrom(answer.Response),
        };
    }

    private async Task WaitForLeaderAsync(ulong notThis, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var pause = Task.Delay(AskAgain, clock, over.Token);
        var moved = here.LeaderMoved;
        // One that hands over, or has only begun to lead, stays the same for a moment.
        if (notThis == 0 || notThis == here.Identity.MemberId || here.Standing.Leader == notThis)
        {
            await Task.WhenAny(moved, pause);
        }
        await over.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }

    private static TResponse ResponseOf<TResponse>(MemberAnswer answer)
        where TResponse : class, IMessage<TResponse>, new()
    {
        if (answer.Refused != RaftError.None)
        {
            throw Refusal(answer.Refused);
        }
        return answer.Outcome.Error != CoordinatorError.None
            ? throw EmbeddedCoordinator.Refusal(answer.Outcome.Error)
            : (TResponse)(answer.Outcome.Response ?? new TResponse());
    }

    /// <summary>ABORTED: the same may be asked again in a moment, and done.</summary>
    internal static RpcException Refusal(RaftError error) => new(new Status(
        error == RaftError.ChangeUnderWay ? StatusCode.Aborted : StatusCode.FailedPrecondition, WordsOf(error)));

    private static string WordsOf(RaftError error) => error switch
    {
        RaftError.ChangeUnderWay => "another change of members is under way; ask again in a moment",
        RaftError.AlreadyMember => "it is a member already",
        RaftError.NotMember => "it does not vote",
        RaftError.LastVoter => "it is the only voter",
        RaftError.QuorumAtRisk => "too few of the voters that would be left answer; bring them back first",
        RaftError.TooManyMembers => $"a group has at most {Members.MaximumMembers} members",
        RaftError.TransferTimedOut => "it did not take over in time",
        RaftError.LeadsNoMore => "it leads no more; nothing was handed over",
        RaftError.TransferUnderWay => "the leadership is being handed over; ask again in a moment",
        RaftError.NotLearner => "it votes already, or is no member",
        RaftError.LearnerBehind => "it has not caught up with the log yet",
        RaftError.NotLeader or RaftError.ReadTimedOut or RaftError.TermNotEstablished =>
            "nobody leads at the moment; ask again",
        RaftError.TooMuchUncommitted or RaftError.TooManyReads or RaftError.PayloadTooLarge =>
            "the leader has too much in hand; ask again in a moment",
        RaftError.None => "the leader refuses for a reason that this version does not know",
        _ => throw new ArgumentOutOfRangeException(nameof(error), error, "it has no words"),
    };
}
