using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Tests.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Tests.Embedded;

public sealed class LogWriterTests
{
    private readonly MemoryDisk _disk = new();
    private readonly List<RaftEvent> _posted = [];
    private readonly LogWriter _writer;

    public LogWriterTests()
    {
        var log = WriteAheadLog.Open(_disk, out _);
        _writer = new LogWriter(
            new DurableLog(_disk, log, new MemberRecord(), isDamaged: false), TimeProvider.System,
            happened => _posted.Add(((CoordinatorEvent.ForRaft)happened).Event));
    }

    private static LogWork Write(ulong sequence, ulong index, ulong truncateFrom = 0) => new LogWork.Write(
        new RaftEffect.Persist(
            sequence, null, truncateFrom, [new Entry(1, index, EntryKind.Command, new byte[] { (byte)sequence })]));

    private byte[] Payloads()
    {
        using var log = WriteAheadLog.Open(_disk.AfterPowerLoss(Leftover.Everything), out var recovered);
        return [.. recovered.Entries.Select(entry => entry.Payload.Span[0])];
    }

    [Fact]
    public void What_found_no_space_is_not_written_before_the_core_has_taken_it_back()
    {
        _disk.IsFull = true;
        _writer.Take([Write(1, index: 1)]);
        _posted.ShouldBe([new RaftEvent.WriteRefused()]);

        // There is space again, and more to write; but somebody may be told just now that the first was not written.
        _disk.IsFull = false;
        _writer.Take([Write(2, index: 2)]);
        _writer.Take([]);
        _posted.Count.ShouldBe(1);
        Payloads().ShouldBeEmpty();
        _writer.Wait.ShouldBe(TimeSpan.MaxValue);

        _writer.Take([Write(3, index: 1, truncateFrom: 1)]);
        _posted[^1].ShouldBe(new RaftEvent.Persisted(3));
        Payloads().ShouldBe([3]);
    }

    [Fact]
    public void What_the_core_keeps_is_written_once_there_is_space()
    {
        _disk.IsFull = true;
        _writer.Take([Write(1, index: 1)]);
        _writer.Take([new LogWork.WriteAgain()]);
        _posted.Count.ShouldBe(1, "at once would be in vain");
        _writer.Wait.ShouldBeLessThan(TimeSpan.FromSeconds(1));

        _writer.Take([]);
        _posted.Count.ShouldBe(2);
        _writer.Take([new LogWork.WriteAgain()]);
        _disk.IsFull = false;
        _writer.Take([]);
        _posted[^1].ShouldBe(new RaftEvent.Persisted(1));
        Payloads().ShouldBe([1]);
    }
}
