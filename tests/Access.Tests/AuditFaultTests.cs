using Hexcast.Access.Audit;
using Hexcast.Platform.Access;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hexcast.Access.Tests;

/// <summary>A disk that fails, played by a folder where the file should be. A full one: EndToEnd's DiskFullTests.
/// </summary>
public sealed class AuditFaultTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-audit-").FullName;
    private readonly AuditFiles files;
    private readonly AuditLog log;

    public AuditFaultTests()
    {
        files = new AuditFiles(folder, new AccessOptions());
        log = new AuditLog(files, NullLogger<AuditLog>.Instance);
    }

    private string FilePath => Path.Combine(folder, "audit-000001.jsonl");

    public void Dispose()
    {
        log.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task What_the_disk_did_not_take_is_written_first_once_it_does()
    {
        (await log.WriteAsync(Entry("before"))).ShouldBeTrue();
        Break();
        (await log.WriteAsync(Entry("kept 1"))).ShouldBeFalse();
        (await log.TryWriteAsync(Entry("not kept"))).ShouldBeFalse();
        (await log.WriteAsync(Entry("kept 2"))).ShouldBeFalse();
        Mend();
        (await log.WriteAsync(Entry("after"))).ShouldBeTrue();
        Written().ShouldBe(["before", "kept 1", "kept 2", "after"]);
    }

    [Fact]
    public async Task It_is_written_also_where_nothing_new_comes_and_once_only()
    {
        (await log.WriteAsync(Entry("before"))).ShouldBeTrue();
        Break();
        (await log.WriteAsync(Entry("kept"))).ShouldBeFalse();
        await log.WriteKeptAsync();
        Mend();
        await log.WriteKeptAsync();
        await log.WriteKeptAsync();
        Written().ShouldBe(["before", "kept"]);
    }

    [Fact]
    public async Task A_disk_that_stays_broken_costs_bounded_memory_and_the_first_entries_are_those_that_stay()
    {
        (await log.WriteAsync(Entry("before"))).ShouldBeTrue();
        Break();
        for (var i = 0; i < AuditLog.KeptLimit + 10; i++)
        {
            (await log.WriteAsync(Entry($"{i}"))).ShouldBeFalse();
        }

        Mend();
        (await log.WriteAsync(Entry("after"))).ShouldBeTrue();
        Written().ShouldBe(["before", .. Enumerable.Range(0, AuditLog.KeptLimit).Select(i => $"{i}"), "after"]);
    }

    private void Break()
    {
        File.Move(FilePath, FilePath + ".away");
        Directory.CreateDirectory(FilePath);
    }

    private void Mend()
    {
        Directory.Delete(FilePath);
        File.Move(FilePath + ".away", FilePath);
    }

    private IEnumerable<string> Written() =>
        files.Read(2 * AuditLog.KeptLimit, null, null).Entries.Select(entry => entry.Action).Reverse();

    private static AuditEntry Entry(string action) =>
        new(DateTimeOffset.UnixEpoch, "who", "id", null, action, "", "127.0.0.1", AuditTrail.Ok, null);
}
