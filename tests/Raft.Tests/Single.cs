namespace Hexcast.Raft.Tests;

/// <summary>One core on its own, as member 1 of three: the test is its network and its disk.</summary>
internal sealed class Single
{
    public Single(
        HardState hardState = default, IReadOnlyList<Entry>? entries = null, RaftOptions? options = null,
        Members? members = null, int voters = 3)
    {
        members ??= Members.Of(Enumerable.Range(1, voters).Select(i => (ulong)i));
        var setup = new RaftSetup(1, options ?? new RaftOptions(), Seed: 7, default);
        Core = new RaftCore(setup, new Recovered(hardState, SnapshotMark.Start(members), entries ?? []), Now);
    }

    public RaftCore Core { get; }

    public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Of the last step.</summary>
    public List<RaftEffect> Effects { get; private set; } = [];

    public IEnumerable<RaftMessage> Sent => Effects.OfType<RaftEffect.Send>().Select(s => s.Message);

    public IEnumerable<RaftEffect.Persist> Persists => Effects.OfType<RaftEffect.Persist>();

    /// <summary>Entries 1, 2, 3 … of these terms.</summary>
    public static Entry[] Log(params ulong[] terms) =>
        [.. terms.Select((term, i) => new Entry(term, (ulong)i + 1, EntryKind.Command, new byte[] { (byte)term }))];

    public Single Step(RaftEvent happened)
    {
        Effects = [];
        Core.Step(happened, Now, Effects);
        return this;
    }

    public Single Receive(RaftMessage message) => Step(new RaftEvent.Received(message));

    /// <summary>The disk is done with everything so far.</summary>
    public Single Sync() => Step(new RaftEvent.Persisted(ulong.MaxValue));

    public Single TimeOut()
    {
        Now = Core.Deadline > Now ? Core.Deadline : Now;
        return Step(RaftEvent.Tick.Now);
    }

    public Single Elect()
    {
        TimeOut();
        Receive(new RaftMessage.VoteResponse(2, Core.Term + 1, IsPre: true, Granted: true)).Sync();
        Receive(new RaftMessage.VoteResponse(2, Core.Term, IsPre: false, Granted: true));
        Core.Role.ShouldBe(RaftRole.Leader);
        return this;
    }

    public Single Accept(ulong from, ulong index) => Receive(
        new RaftMessage.AppendResponse(from, Core.Term, Accepted: true, index, 0, 0, Recovering: false));

    public Single Append(ulong term, ulong previousIndex, ulong previousTerm, ulong commit, params Entry[] entries) =>
        Receive(new RaftMessage.AppendRequest(2, term, previousIndex, previousTerm, entries, commit));
}
