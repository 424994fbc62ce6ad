using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Mvcc;

namespace Hexcast.Coordination.Embedded;

/// <summary>What is answered from the state as it is applied here.</summary>
internal sealed partial class CoordinatorCore
{
    private static bool NeedsNoProof(IMessage request)
    {
        var isLocal = request is RangeRequest { Serializable: true } or StatusRequest;
        Planted.Bend(CoordinatorFault.ReadWithoutProof, ref isLocal, to: true);
        return isLocal;
    }

    private void KeepAliveWhenProven(CoordinatorEvent.KeepAlive keepAlive)
    {
        var mustProve = true;
        Planted.Bend(CoordinatorFault.KeepAliveWithoutProof, ref mustProve, to: false);
        if (mustProve)
        {
            ReadWhenProven(keepAlive.RequestId, keepAlive);
        }
        else
        {
            AnswerProven(keepAlive.RequestId, keepAlive);
        }
    }

    private void AnswerProven(long requestId, CoordinatorEvent read)
    {
        switch (read)
        {
            // It led when it was asked, and was deposed before it had its proof: the next leader keeps the leases.
            case CoordinatorEvent.KeepAlive or CoordinatorEvent.Read
            {
                Request: LeaseTimeToLiveRequest or LeaseLeasesRequest,
            } when !IsLeader:
                Redirect(requestId);
                break;
            case CoordinatorEvent.Read { Request: var request }:
                Reply(requestId, ReadState(request));
                break;
            case CoordinatorEvent.KeepAlive keepAlive:
                Reply(requestId, KeptAlive(keepAlive.LeaseId));
                break;
            case CoordinatorEvent.WatchProof proof:
                BeginWatches(proof.StreamId);
                break;
        }
    }

    private Outcome ReadState(IMessage request)
    {
        switch (request)
        {
            case RangeRequest range:
                var error = RangeReader.Check(_state.Store, range);
                error = error != CoordinatorError.None ? error : RequestReach.Check(_state.Store, range);
                return WithIdentity(error != CoordinatorError.None
                    ? new Outcome(null, error)
                    : new Outcome(RangeReader.Read(_state.Store, range)));
            case TxnRequest txn when RequestReach.Check(_state.Store, txn) is not CoordinatorError.None and var tooMuch:
                return new Outcome(null, tooMuch);
            case TxnRequest txn:
                return WithIdentity(_state.ReadTxn(txn));
            case LeaseTimeToLiveRequest look:
                return new Outcome(Look(look));
            case LeaseLeasesRequest:
                var leases = new LeaseLeasesResponse { Header = Header(_state.Store.Revision) };
                leases.Leases.AddRange(_state.Leases.ByDeadline.Select(id => new LeaseStatus { ID = id }));
                return new Outcome(leases);
            case StatusRequest:
                return new Outcome(Status());
            default:
                throw new InvalidOperationException($"{request.Descriptor.Name} is not a read.");
        }
    }

    private Outcome KeptAlive(long leaseId) => new(new LeaseKeepAliveResponse
    {
        Header = Header(_state.Store.Revision),
        ID = leaseId,
        TTL = _state.Leases.KeepAlive(leaseId, _leaseClock),
    });

    private LeaseTimeToLiveResponse Look(LeaseTimeToLiveRequest request)
    {
        var response = new LeaseTimeToLiveResponse
        {
            Header = Header(_state.Store.Revision),
            ID = request.ID,
            TTL = -1,
        };
        if (_state.Leases.Look(request.ID, _leaseClock) is { } lease)
        {
            (response.TTL, response.GrantedTTL) = (lease.SecondsLeft, lease.Granted);
            if (request.Keys)
            {
                response.Keys.AddRange(lease.Keys);
            }
        }
        return response;
    }

    private StatusResponse Status() => new()
    {
        Header = Header(_state.Store.Revision),
        Version = ProtocolVersion,
        DbSize = _state.Store.SizeBytes,
        DbSizeInUse = _state.Store.SizeBytes,
        Leader = _raft.Leader,
        RaftTerm = _raft.Term,
        RaftIndex = _raft.Log.LastIndex,
        RaftAppliedIndex = _appliedIndex,
        IsLearner = _raft.Members.IsLearner(_identity.MemberId),
    };

    private Outcome WithIdentity(Outcome outcome)
    {
        var header = outcome.Response switch
        {
            RangeResponse response => response.Header,
            PutResponse response => response.Header,
            DeleteRangeResponse response => response.Header,
            TxnResponse response => response.Header,
            CompactionResponse response => response.Header,
            LeaseGrantResponse response => response.Header,
            LeaseRevokeResponse response => response.Header,
            _ => null,
        };
        header?.MergeFrom(_identity.Header(0, _raft.Term));
        return outcome;
    }
}
