namespace Hexcast.Coordination.Embedded.Log;

/// <summary>One command with its place in the replicated log. Indexes start at 1 and have no gaps.</summary>
internal sealed record LogEntry(ulong Term, ulong Index, Command Command);

/// <summary>The state after applying every entry up to <see cref="Index"/>.</summary>
internal sealed record Snapshot(ulong Term, ulong Index, SnapshotState State);
