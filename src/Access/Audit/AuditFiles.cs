using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Hexcast.Platform.Access;
using Hexcast.Platform.Http;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Access.Audit;

/// <summary>A page of entries, newest first.</summary>
/// <param name="Next">Where older ones begin; null: there are none.</param>
internal sealed record AuditPage(IReadOnlyList<AuditEntry> Entries, AuditPosition? Next);

/// <summary>
/// The audit log on disk: JSON lines in numbered files, only ever appended to and synced. A line that was being written
/// when the machine stopped is cut at the next start; over the limit the oldest file goes.
/// </summary>
internal sealed class AuditFiles
{
    public const int FileBytes = 8 << 20;
    private const string Beginning = "audit-", Ending = ".jsonl";

    /// <summary>A search through another tenant's entries reads so much and then says where to go on.</summary>
    private const int FilesAPage = 4;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        // Names are people's: what is printable stays so. The file is shown as JSON only, never inside HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new ApiTime() },
        // What somebody has edited into something else is no entry.
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    private readonly string folder;
    private readonly int fileLimit;
    private int current;
    private long length;

    public AuditFiles(string folder, AccessOptions options)
    {
        this.folder = folder;
        fileLimit = Math.Max(2, (int)(options.AuditMebibytes * (1L << 20) / FileBytes));
        current = Numbers().DefaultIfEmpty(1).Max();
        CutTornLine();
    }

    /// <summary>Durable when it returns. One caller at a time.</summary>
    public void Append(IEnumerable<AuditEntry> entries)
    {
        var bytes = new MemoryStream();
        foreach (var entry in entries)
        {
            JsonSerializer.Serialize(bytes, entry, Json);
            bytes.WriteByte((byte)'\n');
        }

        if (length > 0 && length + bytes.Length > FileBytes)
        {
            BeginNextFile();
        }

        var isNew = length == 0;
        using (var file = new FileStream(PathOf(current), Appending))
        {
            try
            {
                RandomAccess.Write(file.SafeFileHandle, bytes.GetBuffer().AsSpan(0, (int)bytes.Length), length);
                DurableFiles.Sync(file);
            }
            catch (IOException)
            {
                // Half a line stays for the next one to overwrite.
                file.SetLength(length);
                throw;
            }
        }

        length += bytes.Length;
        if (isNew)
        {
            DurableFiles.SyncDirectory(folder);
        }
    }

    /// <param name="before">From a page's Next; null begins at the newest.</param>
    /// <param name="tenant">Only entries of this tenant; null is all.</param>
    public AuditPage Read(int limit, AuditPosition? before, string? tenant)
    {
        var found = new List<AuditEntry>();
        var numbers = Numbers().Where(number => before is null || number <= before.Value.File)
            .OrderDescending().Take(FilesAPage + 1).ToList();
        foreach (var number in numbers.Take(FilesAPage))
        {
            var bytes = ReadFile(number, number == before?.File ? before.Value.Offset : long.MaxValue);
            var end = bytes.Length;
            while (end > 0)
            {
                var start = bytes.AsSpan(0, end - 1).LastIndexOf((byte)'\n') + 1;
                if (Parse(bytes.AsSpan(start, end - start)) is { } entry
                    && (tenant is null || entry.Tenant == tenant))
                {
                    found.Add(entry);
                }

                end = start;
                if (found.Count == limit)
                {
                    var more = end > 0 || numbers.Any(other => other < number);
                    return new AuditPage(found, more ? new AuditPosition(number, end) : null);
                }
            }
        }

        return new AuditPage(
            found, numbers.Count > FilesAPage ? new AuditPosition(numbers[FilesAPage], long.MaxValue) : null);
    }

    private static FileStreamOptions Appending => new()
    {
        Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0,
        UnixCreateMode = OwnerOnly,
    };

    private void BeginNextFile()
    {
        current++;
        length = 0;
        foreach (var old in Numbers().OrderDescending().Skip(fileLimit - 1).ToList())
        {
            File.Delete(PathOf(old));
        }
    }

    private void CutTornLine()
    {
        var path = PathOf(current);
        if (!File.Exists(path))
        {
            return;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        length = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
        if (length < bytes.Length)
        {
            file.SetLength(length);
            DurableFiles.Sync(file);
        }
    }

    private byte[] ReadFile(int number, long limit)
    {
        try
        {
            using var file = new FileStream(
                PathOf(number), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[Math.Min(Math.Min(limit, file.Length), 2L * FileBytes)];
            var read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            // The last line may be in the middle of being written.
            return bytes[..(bytes.AsSpan(0, read).LastIndexOf((byte)'\n') + 1)];
        }
        catch (FileNotFoundException)
        {
            // Just now it was the oldest.
            return [];
        }
    }

    private static AuditEntry? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize<AuditEntry>(line, Json);
        }
        catch (JsonException)
        {
            // Somebody edited the file; the other lines are still worth reading.
            return null;
        }
    }

    private IEnumerable<int> Numbers() => Directory.EnumerateFiles(folder, Beginning + "*" + Ending)
        .Select(path => Path.GetFileName(path)[Beginning.Length..^Ending.Length])
        .Where(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        .Select(text => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture));

    private string PathOf(int number) => Path.Combine(
        folder, string.Create(CultureInfo.InvariantCulture, $"{Beginning}{number:000000}{Ending}"));
}
