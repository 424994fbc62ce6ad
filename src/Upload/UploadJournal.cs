using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Upload;

/// <summary>
/// An upload's journal: one line an entry, "CRC-32C in eight hexadecimal digits, a space, JSON". A line that was being
/// written when the machine stopped fails its CRC and is cut. Past 1 MiB only the first and the last line are kept:
/// each line but the first stands for all before it.
/// </summary>
internal sealed class UploadJournal
{
    /// <summary>From here on the next append compacts first.</summary>
    public const long CompactAboveBytes = 1 << 20;

    /// <summary>Far beyond what compaction leaves: not a journal of ours.</summary>
    public const long SizeLimitBytes = 256L << 20;

    private const int CrcDigits = 8;

    private readonly string path;
    private long length;

    private UploadJournal(string path, long length)
    {
        this.path = path;
        this.length = length;
    }

    public static UploadJournal Create(string path, JournalEntry first)
    {
        var line = Line(first);
        Replace(path, line);
        return new UploadJournal(path, line.Length);
    }

    /// <summary>The journal and its entries up to the first damaged line.</summary>
    /// <returns>Null when the first line is damaged or the journal is too large.</returns>
    public static (UploadJournal Journal, IReadOnlyList<JournalEntry> Entries)? Load(string path)
    {
        if (new FileInfo(path).Length > SizeLimitBytes)
        {
            return null;
        }

        var bytes = File.ReadAllBytes(path);
        var entries = new List<JournalEntry>();
        var good = 0;
        while (bytes.AsSpan(good).IndexOf((byte)'\n') is var end and >= 0
            && Parse(bytes.AsSpan(good, end)) is { } entry)
        {
            entries.Add(entry);
            good += end + 1;
        }

        if (entries is not [{ Kind: JournalEntryKind.Created, Description: not null }, ..])
        {
            return null;
        }

        var journal = new UploadJournal(path, good);
        if (good < bytes.Length)
        {
            journal.Cut();
        }

        return (journal, entries);
    }

    /// <summary>Durable when it returns. When it throws, the journal is as it was before.</summary>
    public void Append(JournalEntry entry)
    {
        if (length > CompactAboveBytes)
        {
            Compact();
        }

        var line = Line(entry);
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.Read);
            RandomAccess.Write(file, line, length);
            DurableFiles.Sync(file);
        }
        catch (IOException)
        {
            Cut();
            throw;
        }

        length += line.Length;
    }

    public void Delete() => File.Delete(path);

    // The length changes only once the folder is synced too; until then each append compacts again, to the same result.
    private void Compact()
    {
        var bytes = File.ReadAllBytes(path);
        var lines = bytes.AsSpan(0, (int)Math.Min(length, bytes.Length));
        var first = lines[..(lines.IndexOf((byte)'\n') + 1)];
        var last = lines[first.Length..];
        last = last[(last.TrimEnd((byte)'\n').LastIndexOf((byte)'\n') + 1)..];
        byte[] kept = [.. first, .. last];
        Replace(path, kept);
        length = kept.Length;
    }

    private static void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        try
        {
            DurableFiles.WriteAllBytes(path, bytes);
        }
        catch (IOException)
        {
            // Half a file of its own name at most: it takes no space from those that try to finish.
            File.Delete(path + ".new");
            throw;
        }
    }

    // Where even this fails, the half line fails its CRC at the next start, and the next append overwrites it.
    private void Cut()
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.Read);
            RandomAccess.SetLength(file, length);
            DurableFiles.Sync(file);
        }
        catch (IOException)
        {
        }
    }

    private static byte[] Line(JournalEntry entry)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(entry);
        return [.. Encoding.ASCII.GetBytes($"{Crc(json):x8} "), .. json, (byte)'\n'];
    }

    private static JournalEntry? Parse(ReadOnlySpan<byte> line)
    {
        if (line.Length <= CrcDigits + 1
            || !uint.TryParse(
                line[..CrcDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var crc)
            || Crc(line[(CrcDigits + 1)..]) != crc)
        {
            return null;
        }

        return JsonSerializer.Deserialize<JournalEntry>(line[(CrcDigits + 1)..]);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return ~crc;
    }
}
