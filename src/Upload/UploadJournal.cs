using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Upload;

/// <summary>
/// An upload's journal: one line an entry, "CRC-32C in eight hexadecimal digits, a space, JSON". A line that was being
/// written when the machine stopped fails its CRC and is cut.
/// </summary>
internal sealed class UploadJournal
{
    // 16 TiB in checkpoints of 8 MiB are 2 million lines of up to 100 bytes.
    private const long SizeLimitBytes = 256L << 20;
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
        try
        {
            DurableFiles.WriteAllBytes(path, line);
        }
        catch (IOException)
        {
            // Half a file of its own name at most: it takes no space from those that try to finish.
            File.Delete(path + ".new");
            throw;
        }

        return new UploadJournal(path, line.Length);
    }

    /// <summary>The journal and its entries up to the first damaged line; null when the first is damaged.</summary>
    public static (UploadJournal Journal, IReadOnlyList<JournalEntry> Entries)? Load(string path)
    {
        if (new FileInfo(path).Length > SizeLimitBytes)
        {
            throw new InvalidDataException($"{path} is larger than {SizeLimitBytes} bytes.");
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
        var line = Line(entry);
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.Read);
            RandomAccess.Write(file, line, length);
            RandomAccess.FlushToDisk(file);
        }
        catch (IOException)
        {
            Cut();
            throw;
        }

        length += line.Length;
    }

    public void Delete() => File.Delete(path);

    // Where even this fails, the half line fails its CRC at the next start, and the next append overwrites it.
    private void Cut()
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.Read);
            RandomAccess.SetLength(file, length);
            RandomAccess.FlushToDisk(file);
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
