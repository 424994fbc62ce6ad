using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;

namespace Hexcast.Simulation.Coordinators;

/// <summary>The power went in the middle of what a disk was doing.</summary>
internal sealed class PowerLostException() : IOException("The power is gone.");

/// <summary>
/// A disk with a cache, byte by byte: what was not synced is lost, torn or left as sectors of zeros when the power
/// goes, and names that no sync of the directory has seen may be as they were. It can be full, fail an fsync, and go
/// bad.
/// </summary>
internal sealed class SimFiles(Dice dice) : IDisk
{
    private const int SectorBytes = 512;

    /// <summary>ENOSPC.</summary>
    private const int NoSpaceLeft = 28;

    private readonly List<Action<Dictionary<string, Content>>> _unsyncedNames = [];
    private readonly Dictionary<string, Content> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Content> _durableNames = new(StringComparer.Ordinal);
    private int _operationsLeft = int.MaxValue;

    private sealed class Content
    {
        public byte[] Bytes { get; set; } = [];

        public int Length { get; set; }

        /// <summary>What the last sync saw of it.</summary>
        public int DurableLength { get; set; }

        /// <summary>Written and cut off again, and nobody has synced that it was cut off.</summary>
        public byte[]? CutOff { get; set; }

        public Span<byte> Whole => Bytes.AsSpan(0, Length);
    }

    public bool IsFull { get; set; }

    public bool SyncFails { get; set; }

    public IReadOnlyList<string> List() => [.. _names.Keys.Order(StringComparer.Ordinal)];

    public IDiskFile Open(string name) => _names.TryGetValue(name, out var content)
        ? new SimFile(this, content)
        : throw new FileNotFoundException(name);

    public IDiskFile Create(string name)
    {
        Act();
        var content = new Content();
        Rename(names => names[name] = content);
        return new SimFile(this, content);
    }

    public void Rename(string from, string to)
    {
        Act();
        var content = _names[from];
        Rename(names =>
        {
            names.Remove(from);
            names[to] = content;
        });
    }

    public void Delete(string name)
    {
        Act();
        Rename(names => names.Remove(name));
    }

    public void SyncDirectory()
    {
        Sync();
        SyncNames(_unsyncedNames.Count);
    }

    /// <summary>Something is done, and the power goes after so many steps of it.</summary>
    public void LosePowerWithin(int operations, Action work)
    {
        _operationsLeft = operations;
        try
        {
            work();
        }
        catch (Exception exception) when (exception is IOException or CoordinatorDataException)
        {
            // As far as it got.
        }
        finally
        {
            _operationsLeft = int.MaxValue;
        }
    }

    public void LosePower()
    {
        // Names become durable in their order.
        SyncNames(dice.Below(_unsyncedNames.Count + 1));
        _unsyncedNames.Clear();
        _names.Clear();
        foreach (var (name, content) in _durableNames)
        {
            _names.Add(name, LeftOf(content));
        }
        _durableNames.Clear();
        foreach (var (name, content) in _names)
        {
            _durableNames.Add(name, content);
        }
    }

    /// <summary>One bit of the log or of a snapshot is another one from now on.</summary>
    public void Damage()
    {
        var files = _names.Where(file => file.Value.Length > 0 && (Segment.Parse(file.Key) is not null
            || SnapshotFile.TryParse(file.Key, out _))).Select(file => file.Value).ToList();
        if (files.Count == 0)
        {
            return;
        }
        var content = files[dice.Below(files.Count)];
        // More often near the end, where it matters whether an entry was acknowledged.
        var at = content.Length - 1 - dice.Below(dice.Roll(0.6) ? Math.Min(400, content.Length) : content.Length);
        content.Bytes[at] ^= (byte)(1 << dice.Below(8));
    }

    private Content LeftOf(Content content)
    {
        var whole = content.CutOff is { } cutOff && dice.Roll(0.5) ? cutOff : content.Whole.ToArray();
        var durable = Math.Min(content.DurableLength, whole.Length);
        var unsynced = whole.Length - durable;
        switch (unsynced == 0 ? 3 : dice.Below(4))
        {
            case 0:
                whole = whole[..durable];
                break;
            case 1:
                whole = whole[..(durable + dice.Below(unsynced + 1))];
                break;
            case 2:
                for (var sector = durable / SectorBytes * SectorBytes; sector < whole.Length; sector += SectorBytes)
                {
                    var from = Math.Max(sector, durable);
                    if (dice.Roll(0.5))
                    {
                        whole.AsSpan(from, Math.Min(sector + SectorBytes, whole.Length) - from).Clear();
                    }
                }
                break;
        }
        return new Content { Bytes = whole, Length = whole.Length, DurableLength = whole.Length };
    }

    private void Rename(Action<Dictionary<string, Content>> change)
    {
        change(_names);
        _unsyncedNames.Add(change);
    }

    private void SyncNames(int count)
    {
        foreach (var change in _unsyncedNames.Take(count))
        {
            change(_durableNames);
        }
        _unsyncedNames.RemoveRange(0, count);
    }

    private void Act()
    {
        if (_operationsLeft <= 0)
        {
            throw new PowerLostException();
        }
        _operationsLeft -= _operationsLeft == int.MaxValue ? 0 : 1;
    }

    private void Sync()
    {
        Act();
        if (SyncFails)
        {
            throw new IOException("fsync failed.");
        }
    }

    private sealed class SimFile(SimFiles disk, Content content) : IDiskFile
    {
        public long Length => content.Length;

        public byte[] ReadAll() => content.Whole.ToArray();

        public byte[] Read(long offset, int length) => content.Whole.Slice((int)offset, length).ToArray();

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            disk.Act();
            var isFull = disk.IsFull;
            bytes = isFull ? bytes[..(bytes.Length / 2)] : bytes;
            var end = (int)offset + bytes.Length;
            if (end > content.Bytes.Length)
            {
                var grown = new byte[Math.Max(end, 2 * content.Bytes.Length)];
                content.Whole.CopyTo(grown);
                content.Bytes = grown;
            }
            bytes.CopyTo(content.Bytes.AsSpan((int)offset));
            content.Length = Math.Max(content.Length, end);
            if (isFull)
            {
                throw new IOException("No space left on device", NoSpaceLeft);
            }
        }

        public void Truncate(long length)
        {
            disk.Act();
            if (content.CutOff is null || content.CutOff.Length < content.Length)
            {
                content.CutOff = content.Whole.ToArray();
            }
            content.Length = (int)length;
            content.DurableLength = Math.Min(content.DurableLength, content.Length);
        }

        public void Sync()
        {
            disk.Sync();
            (content.DurableLength, content.CutOff) = (content.Length, null);
        }

        public void Dispose()
        {
        }
    }
}
