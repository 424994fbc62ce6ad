using System.Text;

namespace Hexcast.Raft.Tests;

/// <summary>Effects as a person would say them. Heartbeats and their answers go without saying.</summary>
internal static class Words
{
    public static string? Of(RaftEffect effect) => effect switch
    {
        RaftEffect.Persist p => "persists" + (p.HardState is { } h ? $" {Of(h)}" : "")
            + (p.TruncateFrom > 0 ? $" without {p.TruncateFrom}…" : "") + Of(p.Entries),
        RaftEffect.Send { Message: RaftMessage.Heartbeat or RaftMessage.HeartbeatResponse } => null,
        RaftEffect.Send s => $"→ n{s.To} {Of(s.Message)}",
        RaftEffect.Apply a => $"applies{Of(a.Entries)}",
        RaftEffect.LeaderChanged { Role: RaftRole.Leader } c => $"leads term {c.Term}",
        RaftEffect.LeaderChanged c => c.Leader == 0 ? $"is {c.Role} in term {c.Term}"
            : $"is {c.Role} of n{c.Leader} in term {c.Term}",
        RaftEffect.Proposed p => $"has it at {p.Term}/{p.Index}",
        RaftEffect.ReadReady => "may read",
        RaftEffect.Refused r => $"refuses: {r.Error}, ask {(r.Leader == 0 ? "nobody" : $"n{r.Leader}")}",
        RaftEffect.Transferred => "has handed over",
        RaftEffect.WriteAgain => "tries again to write",
        RaftEffect.ReadSnapshotChunk r => $"reads its snapshot at {r.SnapshotIndex} from byte {r.Offset} for n{r.To}",
        RaftEffect.StoreSnapshotChunk s => $"stores {s.Bytes.Length} bytes from {s.Offset}",
        RaftEffect.InstallSnapshot i => $"becomes the snapshot at {i.Mark.Index} of {i.Mark.Members}",
        _ => effect.ToString(),
    };

    private static string Of(RaftMessage message) => message switch
    {
        RaftMessage.VoteRequest r =>
            $"{(r.IsPre ? "would you vote" : r.IsTransfer ? "vote, the leader asks" : "vote")} for term {r.Term}? "
            + $"My log ends {r.LastTerm}/{r.LastIndex}",
        RaftMessage.VoteResponse r => $"{(r.IsPre ? "would " : "")}{(r.Granted ? "yes" : "no")}, term {r.Term}",
        RaftMessage.AppendRequest r =>
            $"append after {r.PreviousTerm}/{r.PreviousIndex}{Of(r.Entries)} commit {r.Commit}",
        RaftMessage.AppendResponse { Accepted: true } r => $"have {r.Index}{(r.Recovering ? ", recovering" : "")}",
        RaftMessage.AppendResponse r => $"not after {r.Index}: try {r.HintTerm}/{r.HintIndex}, term {r.Term}"
            + (r.Recovering ? ", recovering" : ""),
        RaftMessage.InstallSnapshot i => $"snapshot at {i.Mark.Index}, {i.Bytes.Length} bytes from {i.Offset}"
            + (i.IsLast ? ", the last" : ""),
        RaftMessage.InstallSnapshotResponse r => $"of snapshot at {r.SnapshotIndex} next from {r.NextOffset}",
        RaftMessage.ReadRequest => "may I read?",
        RaftMessage.ReadResponse r => $"read once you have applied {r.Index}",
        RaftMessage.RecoveryRequest => "where does your log end?",
        RaftMessage.RecoveryResponse r => $"at {r.LastIndex}",
        RaftMessage.TimeoutNow => "be a candidate now",
        _ => message.ToString(),
    };

    private static string Of(HardState state) => $"term {state.Term} vote {(state.Vote == 0 ? "-" : $"n{state.Vote}")}"
        + (state.Recovering ? " recovering" : "");

    private static string Of(IReadOnlyList<Entry> entries) => string.Concat(entries.Select(e =>
        $" {e.Term}/{e.Index}" + e.Kind switch
        {
            EntryKind.TermStart => "",
            EntryKind.Membership => Members.Decode(e.Payload.Span).ToString(),
            _ => $"\"{Encoding.UTF8.GetString(e.Payload.Span)}\"",
        }));
}
