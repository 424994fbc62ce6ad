using Hexcast.Coordination.Embedded.Log;

namespace Hexcast.Coordination.Tests.Embedded.Log;

/// <summary>What a loss of power leaves of the writes that were not synced.</summary>
public enum Leftover
{
    /// <summary>Nothing: neither bytes nor renames, creations and deletions.</summary>
    Nothing,

    /// <summary>The directory is up to date, and the first half of the bytes of each file.</summary>
    HalfOfTheBytes,

    /// <summary>The directory is up to date and so are the files' lengths, but unsynced bytes read as zeros.</summary>
    Zeros,

    /// <summary>Everything, as after a crash of the process alone.</summary>
    Everything,

    /// <summary>The directory is up to date, and what was written and cut off again is there, for nobody has synced
    /// that it was cut off.</summary>
    WhatWasCutOff,
}

/// <summary>A disk in memory that can lose its power at a chosen operation, fail an fsync, and be edited.</summary>
internal sealed class MemoryDisk : IDisk
{
    /// <summary>ENOSPC.</summary>
    private const int NoSpaceLeft = 28;

    private readonly Dictionary<string, Content> _current = new(StringComparer.Ordinal);
    private Dictionary<string, Content> _durable = new(StringComparer.Ordinal);

    private sealed class Content
    {
        public byte[] Bytes { get; set; } = [];
        public byte[] Durable { get; set; } = [];

        /// <summary>The longest since the last sync.</summary>
        public byte[] Longest { get; set; } = [];
    }

    /// <summary>Operations that change something, so far.</summary>
    public int Operations { get; private set; }

    /// <summary>The operation of this number and all after it fail.</summary>
    public int PowerFailsAt { get; set; } = int.MaxValue;

    public bool SyncFails { get; set; }

    /// <summary>Half of what is written gets there, then the write fails as on a full disk.</summary>
    public bool IsFull { get; set; }

    /// <summary>Run before each fsync: a slow one waits here.</summary>
    public Action? OnSync { get; set; }

    public IReadOnlyList<string> List() => [.. _current.Keys];

    public byte[] Read(string name) => _current[name].Bytes;

    public void Overwrite(string name, byte[] bytes) => _current[name] = new Content { Bytes = bytes, Durable = bytes };

    public IDiskFile Open(string name) => _current.TryGetValue(name, out var content)
        ? new MemoryFile(this, content)
        : throw new FileNotFoundException(name);

    public IDiskFile Create(string name)
    {
        Act();
        _current[name] = new Content();
        return new MemoryFile(this, _current[name]);
    }

    public void Rename(string from, string to)
    {
        Act();
        _current[to] = _current[from];
        _current.Remove(from);
    }

    public void Delete(string name)
    {
        Act();
        _current.Remove(name);
    }

    public void SyncDirectory()
    {
        Sync();
        _durable = new Dictionary<string, Content>(_current, StringComparer.Ordinal);
    }

    /// <summary>The disk as the next process finds it.</summary>
    public MemoryDisk AfterPowerLoss(Leftover leftover)
    {
        var after = new MemoryDisk();
        foreach (var (name, content) in leftover == Leftover.Nothing ? _durable : _current)
        {
            after.Overwrite(name, LeftOf(content, leftover));
        }
        after._durable = new Dictionary<string, Content>(after._current, StringComparer.Ordinal);
        return after;
    }

    private static byte[] LeftOf(Content content, Leftover leftover)
    {
        var (bytes, durable) = (content.Bytes, content.Durable);
        var unsynced = Math.Max(0, bytes.Length - durable.Length);
        switch (leftover)
        {
            case Leftover.Nothing:
                return [.. durable];
            case Leftover.HalfOfTheBytes when unsynced > 0:
                return bytes[..(durable.Length + unsynced / 2)];
            case Leftover.Zeros when unsynced > 0:
                return [.. bytes[..durable.Length], .. new byte[unsynced]];
            case Leftover.WhatWasCutOff when content.Longest.Length > bytes.Length:
                return [.. content.Longest];
            default:
                return [.. bytes];
        }
    }

    private void Act()
    {
        if (++Operations >= PowerFailsAt)
        {
            throw new IOException("The power is gone.");
        }
    }

    private void Sync()
    {
        OnSync?.Invoke();
        Act();
        if (SyncFails)
        {
            throw new IOException("fsync failed.");
        }
    }

    private sealed class MemoryFile(MemoryDisk disk, Content content) : IDiskFile
    {
        public long Length => content.Bytes.Length;

        public byte[] ReadAll() => [.. content.Bytes];

        public byte[] Read(long offset, int length) => [.. content.Bytes.AsSpan((int)offset, length)];

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            if (disk.IsFull)
            {
                bytes = bytes[..(bytes.Length / 2)];
            }
            var grown = new byte[Math.Max(content.Bytes.Length, offset + bytes.Length)];
            content.Bytes.CopyTo(grown, 0);
            bytes.CopyTo(grown.AsSpan((int)offset));
            content.Bytes = grown;
            disk.Act();
            if (disk.IsFull)
            {
                throw new IOException("No space left on device", NoSpaceLeft);
            }
        }

        public void Truncate(long length)
        {
            disk.Act();
            content.Longest = content.Longest.Length > content.Bytes.Length ? content.Longest : content.Bytes;
            content.Bytes = content.Bytes[..(int)length];
        }

        public void Sync()
        {
            disk.Sync();
            (content.Durable, content.Longest) = ([.. content.Bytes], []);
        }

        public void Dispose()
        {
        }
    }
}
