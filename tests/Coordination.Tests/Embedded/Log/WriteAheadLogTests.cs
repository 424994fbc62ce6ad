using System.Buffers;
using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Tests.Embedded.Log;

public sealed class WriteAheadLogTests
{
    private static Entry Entry(ulong index, int valueBytes = 10, ulong term = 3) => new(
        term, index, EntryKind.Command, new Command
        {
            Put = new PutRequest
            {
                Key = ByteString.CopyFromUtf8($"key-{index}"),
                Value = ByteString.CopyFrom([.. Enumerable.Range(1, valueBytes).Select(i => (byte)(i % 255 + 1))]),
            },
        }.ToByteArray());

    private static void ShouldBeSame(Entry here, Entry there)
    {
        (here with { Payload = default }).ShouldBe(there with { Payload = default });
        here.Payload.ToArray().ShouldBe(there.Payload.ToArray());
    }

    private static bool TrySave(IDisk disk, WriteAheadLog log, Snapshot snapshot)
    {
        if (!SnapshotFile.TrySave(disk, snapshot))
        {
            return false;
        }
        log.DropBefore(snapshot.Index);
        return true;
    }

    private static Snapshot SnapshotAt(ulong index) =>
        new(new SnapshotMark(index, Term: 3, Hexcast.Raft.Members.None), new SnapshotState { Revision = (long)index });

    private static ulong[] Indexes(RecoveredLog recovered) => [.. recovered.Entries.Select(entry => entry.Index)];

    private static RecoveredLog Recover(IDisk disk, long segmentBytes = WriteAheadLog.SegmentBytes)
    {
        using var log = WriteAheadLog.Open(disk, out var recovered, segmentBytes);
        return recovered.Damage is null ? recovered : throw recovered.Damage;
    }

    /// <summary>Three batches of three entries, each made durable by itself.</summary>
    private static MemoryDisk Write(out int lastBatchFrom, int valueBytes = 10)
    {
        var disk = new MemoryDisk();
        using var log = WriteAheadLog.Open(disk, out _);
        log.SetHardState(new HardState(Term: 3, Vote: 9));
        lastBatchFrom = 0;
        for (ulong batch = 0; batch < 3; batch++)
        {
            lastBatchFrom = disk.Read(disk.List().Single()).Length;
            for (var i = batch * 3 + 1; i <= batch * 3 + 3; i++)
            {
                log.Append(Entry(i, valueBytes));
            }
            log.TryFlush().ShouldBeTrue();
        }
        return disk;
    }

    [Fact]
    public void What_was_flushed_is_read_back_with_term_and_vote()
    {
        var recovered = Recover(Write(out _));
        Indexes(recovered).ShouldBe([1, 2, 3, 4, 5, 6, 7, 8, 9]);
        ShouldBeSame(recovered.Entries[4], Entry(5));
        recovered.HardState.ShouldBe(new HardState(Term: 3, Vote: 9));
        recovered.TornBytes.ShouldBe(0);
    }

    [Fact]
    public void A_tail_torn_at_any_byte_of_the_last_batch_is_cut_and_the_log_goes_on_there()
    {
        var disk = Write(out var lastBatchFrom);
        var name = disk.List().Single();
        var whole = disk.Read(name);
        for (var length = lastBatchFrom; length < whole.Length; length++)
        {
            var torn = new MemoryDisk();
            torn.Overwrite(name, whole[..length]);
            using (var log = WriteAheadLog.Open(torn, out var recovered))
            {
                recovered.LastIndex.ShouldBeInRange(6ul, 8ul);
                log.Append(Entry(recovered.LastIndex + 1));
                log.TryFlush().ShouldBeTrue();
            }
            var again = Recover(torn);
            Indexes(again).ShouldBe(Enumerable.Range(1, again.Entries.Count).Select(i => (ulong)i));
            again.TornBytes.ShouldBe(0);
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1_500)]
    public void A_tail_whose_sectors_were_not_written_is_cut(int valueBytes)
    {
        var disk = Write(out var lastBatchFrom, valueBytes);
        var name = disk.List().Single();
        var whole = disk.Read(name);
        for (var sector = lastBatchFrom / 512 * 512; sector < whole.Length; sector += 512)
        {
            var from = Math.Max(sector, lastBatchFrom);
            var bytes = whole.ToArray();
            bytes.AsSpan(from, Math.Min(sector + 512, bytes.Length) - from).Clear();
            var torn = new MemoryDisk();
            torn.Overwrite(name, bytes);
            Recover(torn).LastIndex.ShouldBeInRange(6ul, 8ul);
        }
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_an_error_that_says_what_to_do()
    {
        var disk = Write(out _);
        var name = disk.List().Single();
        var whole = disk.Read(name);
        for (var bit = 0; bit < whole.Length * 8; bit++)
        {
            var bytes = whole.ToArray();
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            var flipped = new MemoryDisk();
            flipped.Overwrite(name, bytes);
            var exception = Should.Throw<CoordinatorDataException>(() => Recover(flipped), $"bit {bit}");
            exception.Message.ShouldContain(name);
            exception.Message.ShouldContain("from a backup");
        }
    }

    [Fact]
    public void A_flipped_bit_in_a_snapshot_is_an_error()
    {
        var disk = new MemoryDisk();
        using (var log = WriteAheadLog.Open(disk, out _))
        {
            log.Append(Entry(1));
            log.TryFlush().ShouldBeTrue();
            TrySave(disk, log, SnapshotAt(1)).ShouldBeTrue();
        }
        var name = disk.List().Single(file => file.EndsWith(SnapshotFile.Suffix, StringComparison.Ordinal));
        var whole = disk.Read(name);
        for (var bit = 0; bit < whole.Length * 8; bit++)
        {
            var bytes = whole.ToArray();
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            disk.Overwrite(name, bytes);
            Should.Throw<CoordinatorDataException>(() => Recover(disk), $"bit {bit}");
        }
    }

    [Fact]
    public void Segments_roll_over_and_a_snapshot_deletes_those_it_replaces()
    {
        const int SegmentBytes = 1_000;
        var disk = new MemoryDisk();
        using (var log = WriteAheadLog.Open(disk, out _, SegmentBytes))
        {
            log.SetHardState(new HardState(Term: 3, Vote: 9));
            for (ulong i = 1; i <= 100; i++)
            {
                log.Append(Entry(i));
                log.TryFlush().ShouldBeTrue();
            }
            log.SegmentCount.ShouldBeGreaterThan(5);
            TrySave(disk, log, SnapshotAt(90)).ShouldBeTrue();
            log.SegmentCount.ShouldBeLessThan(4);
        }
        var recovered = Recover(disk, SegmentBytes);
        recovered.Snapshot.ShouldNotBeNull().Index.ShouldBe(90ul);
        Indexes(recovered).ShouldBe(Enumerable.Range(91, 10).Select(i => (ulong)i));
        recovered.HardState.Term.ShouldBe(3ul);
    }

    [Fact]
    public void A_full_disk_leaves_the_log_as_it_was()
    {
        var disk = new MemoryDisk();
        using (var log = WriteAheadLog.Open(disk, out _))
        {
            log.Append(Entry(1));
            log.TryFlush().ShouldBeTrue();
            disk.IsFull = true;
            log.Append(Entry(2));
            log.TryFlush().ShouldBeFalse();
            TrySave(disk, log, SnapshotAt(1)).ShouldBeFalse();
            disk.List().Count.ShouldBe(1);
            disk.IsFull = false;
            log.Append(Entry(2, valueBytes: 99));
            log.TryFlush().ShouldBeTrue();
        }
        ShouldBeSame(Recover(disk).Entries[^1], Entry(2, valueBytes: 99));
        var full = new MemoryDisk { IsFull = true };
        Should.Throw<CoordinatorDataException>(() => Recover(full)).Message.ShouldContain("disk is full");
    }

    [Fact]
    public void What_found_no_space_does_not_come_back_after_a_loss_of_power()
    {
        var disk = Write(out _);
        using (var log = WriteAheadLog.Open(disk, out _))
        {
            disk.IsFull = true;
            log.Append(Entry(10));
            log.Append(Entry(11, valueBytes: 500));
            log.TryFlush().ShouldBeFalse();
        }
        Indexes(Recover(disk.AfterPowerLoss(Leftover.WhatWasCutOff))).ShouldBe([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    /// <summary>As the first versions wrote it: entries of one kind, also the first of a term, and nothing of members.
    /// </summary>
    [Fact]
    public void A_log_of_the_first_format_is_read_and_goes_on_in_the_present_one()
    {
        var bytes = new ArrayBufferWriter<byte>();
        var hardState = new SavedHardState { Term = 2, Vote = 7 };
        RecordHeader.Write(bytes, RecordType.SegmentHeader, 0, 1, 0, new SegmentHeader
        {
            Format = 1, Sequence = 1, FirstIndex = 1, HardState = new SavedHardState(),
        });
        var durable = (ulong)bytes.WrittenCount;
        RecordHeader.Write(bytes, RecordType.HardState, 2, 1, durable, hardState);
        RecordHeader.Write(bytes, RecordType.Command, 2, 1, durable, new Command
        {
            TermStart = new TermStart { Node = "node-1" },
        });
        RecordHeader.Write(bytes, RecordType.Command, 2, 2, durable, Entry(2).Payload.Span);
        var disk = new MemoryDisk();
        disk.Overwrite(new Segment(1, 1).Name, bytes.WrittenSpan.ToArray());
        using (var log = WriteAheadLog.Open(disk, out var first))
        {
            first.HardState.ShouldBe(new HardState(Term: 2, Vote: 7));
            Indexes(first).ShouldBe([1, 2]);
            ShouldBeSame(first.Entries[1], Entry(2, term: 2));
            Command.Parser.ParseFrom(first.Entries[0].Payload.Span).TermStart.Node.ShouldBe("node-1");
            log.Append(Entry(3));
            log.TryFlush().ShouldBeTrue();
        }
        Indexes(Recover(disk)).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public void A_missing_segment_or_a_missing_snapshot_is_an_error()
    {
        const int SegmentBytes = 500;
        MemoryDisk Fresh()
        {
            var disk = new MemoryDisk();
            using var log = WriteAheadLog.Open(disk, out _, SegmentBytes);
            for (ulong i = 1; i <= 60; i++)
            {
                log.Append(Entry(i));
                log.TryFlush().ShouldBeTrue();
                if (i == 30)
                {
                    TrySave(disk, log, SnapshotAt(20)).ShouldBeTrue();
                }
            }
            return disk;
        }
        var files = Fresh().List();
        // Of the last segment nothing tells that it was ever there.
        var last = files.Where(name => name.EndsWith(".wal", StringComparison.Ordinal)).Max(StringComparer.Ordinal)!;
        foreach (var name in files.Except([last]))
        {
            var disk = Fresh();
            disk.Delete(name);
            Should.Throw<CoordinatorDataException>(() => Recover(disk, SegmentBytes), name);
        }
    }

    [Fact]
    public void A_flipped_bit_before_the_last_segment_is_an_error_even_in_what_a_crash_could_tear()
    {
        const int SegmentBytes = 300;
        var disk = new MemoryDisk();
        using (var log = WriteAheadLog.Open(disk, out _, SegmentBytes))
        {
            for (ulong i = 1; i <= 10; i++)
            {
                log.Append(Entry(i));
                log.TryFlush().ShouldBeTrue();
            }
        }
        var first = disk.List().Order(StringComparer.Ordinal).First();
        disk.Overwrite(first, disk.Read(first)[..^1]);
        Should.Throw<CoordinatorDataException>(() => Recover(disk, SegmentBytes))
            .Message.ShouldContain("later segments follow");
    }

    public static TheoryData<Leftover> Leftovers => [.. Enum.GetValues<Leftover>()];

    [Theory]
    [MemberData(nameof(Leftovers))]
    public void Power_lost_at_any_disk_operation_loses_nothing_that_was_flushed(Leftover leftover)
    {
        const int SegmentBytes = 700;
        for (var failsAt = 1; ; failsAt++)
        {
            var disk = new MemoryDisk { PowerFailsAt = failsAt };
            ulong acknowledged = 0;
            ulong term = 0;
            var finished = false;
            try
            {
                using var log = WriteAheadLog.Open(disk, out _, SegmentBytes);
                log.SetHardState(new HardState(Term: 1, Vote: 9));
                log.TryFlush().ShouldBeTrue();
                term = 1;
                for (ulong i = 1; i <= 20; i += 2)
                {
                    log.Append(Entry(i, valueBytes: 40));
                    log.Append(Entry(i + 1, valueBytes: 40));
                    log.TryFlush().ShouldBeTrue();
                    acknowledged = i + 1;
                    if (i % 6 == 5)
                    {
                        TrySave(disk, log, SnapshotAt(i)).ShouldBeTrue();
                    }
                }
                finished = true;
            }
            catch (IOException)
            {
                // The power failed here.
            }
            var after = disk.AfterPowerLoss(leftover);
            var recovered = Recover(after, SegmentBytes);
            recovered.LastIndex.ShouldBeInRange(acknowledged, acknowledged + 2, $"power lost at operation {failsAt}");
            recovered.HardState.Term.ShouldBeInRange(term, 1ul);
            var first = (recovered.Snapshot?.Index ?? 0) + 1;
            Indexes(recovered).ShouldBe(Enumerable.Range(0, recovered.Entries.Count).Select(i => first + (ulong)i));
            if (finished)
            {
                return;
            }
        }
    }

    [Fact]
    public void A_name_that_a_killed_process_gave_is_durable_before_anything_is_built_on_it()
    {
        var disk = new MemoryDisk();
        while (disk.List().All(name => Segment.Parse(name) is null))
        {
            // Killed at each operation in turn, until it had just renamed its first segment.
            disk = new MemoryDisk { PowerFailsAt = disk.PowerFailsAt == int.MaxValue ? 1 : disk.PowerFailsAt + 1 };
            Should.Throw<IOException>(() => WriteAheadLog.Open(disk, out _));
        }
        disk.PowerFailsAt = int.MaxValue;
        using (var log = WriteAheadLog.Open(disk, out _))
        {
            log.Append(Entry(1));
            log.TryFlush().ShouldBeTrue();
        }
        Indexes(Recover(disk.AfterPowerLoss(Leftover.Nothing))).ShouldBe([1]);
    }

    [Fact]
    public void Two_processes_cannot_open_one_directory()
    {
        using var folder = new Servers.TemporaryFolder();
        using var first = new FileDisk(folder.Path);
        Should.Throw<CoordinatorDataException>(() => new FileDisk(folder.Path)).Message.ShouldContain("--data");
    }

    [Fact]
    public void The_real_disk_keeps_what_was_written()
    {
        using var folder = new Servers.TemporaryFolder();
        using (var disk = new FileDisk(folder.Path))
        using (var log = WriteAheadLog.Open(disk, out _))
        {
            log.Append(Entry(1));
            log.TryFlush().ShouldBeTrue();
            TrySave(disk, log, SnapshotAt(1)).ShouldBeTrue();
            log.Append(Entry(2));
            log.TryFlush().ShouldBeTrue();
        }
        using var again = new FileDisk(folder.Path);
        var recovered = Recover(again);
        recovered.Snapshot.ShouldNotBeNull().Index.ShouldBe(1ul);
        Indexes(recovered).ShouldBe([2ul]);
    }
}
