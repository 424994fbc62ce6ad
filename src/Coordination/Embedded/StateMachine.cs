using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Leases;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Mvcc;

namespace Hexcast.Coordination.Embedded;

/// <summary>What applying an entry or a read answered: a response, or the error instead of it.</summary>
internal readonly record struct Outcome(IMessage? Response, CoordinatorError Error = CoordinatorError.None);

/// <summary>
/// Keys and leases, driven by the log: the same entries give the same state and the same answers on every member and
/// in every replay. (The time handed in only starts lease clocks, which are not part of that state.)
/// </summary>
internal sealed class StateMachine
{
    public const string ElectionKeyText = "/hexcast/election/master";

    public static readonly ByteString ElectionKey = ByteString.CopyFromUtf8(ElectionKeyText);

    public MvccStore Store { get; } = new();

    public LeaseTable Leases { get; } = new();

    /// <summary>Where each member is reached, by id. Who votes is the consensus core's to say.</summary>
    public SortedDictionary<ulong, SavedMember> Members { get; } = [];

    /// <summary>The header of a response carries only the revision. Changes go to <paramref name="changed"/>.</summary>
    public Outcome Apply(Command command, TimeSpan now, Action<RevisionChanges> changed) => command.KindCase switch
    {
        Command.KindOneofCase.Put => Put(command.Put, changed),
        Command.KindOneofCase.DeleteRange => Delete(command.DeleteRange, changed),
        Command.KindOneofCase.Txn => Txn(command.Txn, changed),
        Command.KindOneofCase.Compact => Compact(command.Compact),
        Command.KindOneofCase.LeaseGrant => Grant(command.LeaseGrant, now),
        Command.KindOneofCase.LeaseRevoke => Revoke(command.LeaseRevoke.ID, changed),
        Command.KindOneofCase.LeaseExpire => Expire(command.LeaseExpire, changed),
        Command.KindOneofCase.TermStart => StartTerm(command.TermStart, changed),
        Command.KindOneofCase.MemberPut => PutMember(command.MemberPut),
        Command.KindOneofCase.MemberRemove => RemoveMember(command.MemberRemove),
        _ => throw new CoordinatorDataException(
            $"The coordinator's log holds an entry of a kind that this version does not know ({command.KindCase}). " +
            "Start the version of Hexcast that wrote it, or a later one."),
    };

    private Outcome Put(PutRequest request, Action<RevisionChanges> changed)
    {
        var error = Transactions.Check(Store, Leases, request);
        if (error != CoordinatorError.None)
        {
            return new Outcome(null, error);
        }
        Store.Begin();
        var response = Transactions.Put(Store, request);
        Commit(changed);
        return new Outcome(response);
    }

    private Outcome Delete(DeleteRangeRequest request, Action<RevisionChanges> changed)
    {
        Store.Begin();
        var response = Transactions.Delete(Store, request);
        Commit(changed);
        return new Outcome(response);
    }

    private Outcome Txn(TxnRequest request, Action<RevisionChanges> changed)
    {
        var path = Transactions.Choose(Store, request);
        var error = Transactions.Check(Store, Leases, path);
        if (error != CoordinatorError.None)
        {
            return new Outcome(null, error);
        }
        Store.Begin();
        var response = Transactions.Run(Store, path);
        Commit(changed);
        return new Outcome(response);
    }

    /// <summary>A transaction that can only read needs no entry in the log.</summary>
    public Outcome ReadTxn(TxnRequest request)
    {
        var path = Transactions.Choose(Store, request);
        var error = Transactions.Check(Store, Leases, path);
        return error != CoordinatorError.None ? new Outcome(null, error) : new Outcome(Transactions.Run(Store, path));
    }

    private Outcome Compact(CompactionRequest request)
    {
        var error = Store.Compact(request.Revision);
        var isRefused = error != CoordinatorError.None;
        Planted.Bend(CoordinatorFault.CompactionAcknowledgedThatWasRefused, ref isRefused, to: false);
        return isRefused
            ? new Outcome(null, error)
            : new Outcome(new CompactionResponse { Header = Header() });
    }

    private Outcome Grant(LeaseGrantRequest request, TimeSpan now)
    {
        var error = Leases.CheckGrant(request.ID, request.TTL);
        if (error != CoordinatorError.None)
        {
            return new Outcome(null, error);
        }
        Leases.Grant(request.ID, request.TTL, now);
        return new Outcome(new LeaseGrantResponse { Header = Header(), ID = request.ID, TTL = request.TTL });
    }

    private Outcome Revoke(long id, Action<RevisionChanges> changed)
    {
        if (Leases.Remove(id) is not { } keys)
        {
            return new Outcome(null, CoordinatorError.LeaseNotFound);
        }
        Store.Begin();
        foreach (var key in keys)
        {
            Store.Delete(KeyRange.Of(key, ByteString.Empty));
        }
        Commit(changed);
        return new Outcome(new LeaseRevokeResponse { Header = Header() });
    }

    private Outcome Expire(LeaseExpire expire, Action<RevisionChanges> changed)
    {
        foreach (var id in expire.Ids)
        {
            // One that was revoked in the meantime is gone, which is what this entry wants.
            Revoke(id, changed);
        }
        return default;
    }

    private Outcome StartTerm(TermStart start, Action<RevisionChanges> changed)
    {
        // Deleted first, in a revision of its own: only so is the create revision, the mastership's fence, new.
        var isNew = true;
        Planted.Bend(CoordinatorFault.FenceKeptOverTerms, ref isNew, to: false);
        Store.Begin();
        if (isNew)
        {
            Store.Delete(KeyRange.Of(ElectionKey, ByteString.Empty));
        }
        Commit(changed);
        Store.Begin();
        Store.Put(ElectionKey, ByteString.CopyFromUtf8(start.Node), lease: 0);
        Commit(changed);
        return default;
    }

    private Outcome PutMember(SavedMember member)
    {
        Members[member.Id] = member;
        return default;
    }

    private Outcome RemoveMember(ulong id)
    {
        Members.Remove(id);
        return default;
    }

    private void Commit(Action<RevisionChanges> changed)
    {
        if (Store.Commit() is not { } revision)
        {
            return;
        }
        foreach (var change in revision.Changes)
        {
            var before = change.Previous?.Lease ?? 0;
            var after = change.Type == Event.Types.EventType.Put ? change.Current.Lease : 0;
            if (before != after && before != 0)
            {
                Leases.Detach(before, change.Current.Key);
            }
            if (before != after && after != 0)
            {
                Leases.Attach(after, change.Current.Key);
            }
        }
        changed(revision);
    }

    private ResponseHeader Header() => new() { Revision = Store.Revision };
}
