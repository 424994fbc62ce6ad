using System.Net;
using Grpc.Core;
using Hexcast.Testing;

namespace Hexcast.Upload.Tests;

/// <summary>A crash between any two steps: what the later ones had done is undone on disk, then it starts.</summary>
public sealed class RecoveryTests : UploadFixture
{
    private static readonly byte[] File1 = Bytes(2_000_000);

    [Fact]
    public async Task After_creation_the_upload_is_there()
    {
        var location = await CreateAsync(File1.Length);
        await ReopenAsync();
        (await OffsetAsync(location)).ShouldBe(0);
        await FinishAsync(location, 0);
    }

    [Fact]
    public async Task Bytes_that_the_journal_does_not_name_are_cut()
    {
        var location = await CreateAsync(File1.Length);
        using (await PatchAsync(location, 0, File1.AsMemory(0, 700_000)))
        {
        }

        await Node.DisposeAsync();
        await File.AppendAllTextAsync(PathOf(location, ".part"), "written, but the power went before the journal");
        await OpenAsync();

        (await OffsetAsync(location)).ShouldBe(700_000);
        await FinishAsync(location, 700_000);
    }

    [Theory]
    [InlineData("0badc0de {\"Kind\":\"offset\"")]
    [InlineData("00000000 {\"Kind\":\"offset\",\"At\":\"2026-01-01T00:00:00Z\",\"Offset\":900000,\"Sha256\":\"\"}\n")]
    [InlineData("\n\n\n")]
    public async Task A_torn_or_damaged_line_of_the_journal_is_cut(string damage)
    {
        var location = await CreateAsync(File1.Length);
        using (await PatchAsync(location, 0, File1.AsMemory(0, 700_000)))
        {
        }

        await Node.DisposeAsync();
        await File.AppendAllTextAsync(PathOf(location, ".journal"), damage);
        await OpenAsync();

        (await OffsetAsync(location)).ShouldBe(700_000);
        await FinishAsync(location, 700_000);
    }

    [Fact]
    public async Task All_bytes_are_there_but_nothing_was_checked()
    {
        var location = await LeaveUnpublishedAsync();
        MoveBack(location);
        CutLines(location, "\"received\"");
        Catalog.Refusal = StatusCode.OK;
        await OpenAsync();
        await ShouldBePublishedAsync(location);
    }

    [Fact]
    public async Task Checked_but_not_moved_to_the_store()
    {
        var location = await LeaveUnpublishedAsync();
        MoveBack(location);
        Catalog.Refusal = StatusCode.OK;
        await OpenAsync();
        await ShouldBePublishedAsync(location);
    }

    [Fact]
    public async Task In_the_store_but_catalog_was_not_told()
    {
        var location = await LeaveUnpublishedAsync();
        Catalog.Refusal = StatusCode.OK;
        await OpenAsync();
        await ShouldBePublishedAsync(location);
    }

    [Fact]
    public async Task Catalog_was_told_but_the_journal_does_not_say_so()
    {
        var location = await CreateAsync(File1.Length);
        await FinishAsync(location, 0);
        await Node.DisposeAsync();
        CutLines(location, "\"finished\"");
        await OpenAsync();
        await ShouldBePublishedAsync(location);
        Catalog.Calls.ShouldBe(2);
    }

    [Fact]
    public async Task A_finished_upload_is_not_published_again()
    {
        var location = await CreateAsync(File1.Length);
        await FinishAsync(location, 0);
        await ReopenAsync();
        (await OffsetAsync(location)).ShouldBe(File1.Length);
        Catalog.Calls.ShouldBe(1);
    }

    [Fact]
    public async Task A_wrong_hash_is_found_after_a_restart_too()
    {
        var location = await CreateAsync(File1.Length, ("sha256", new string('0', 64)));
        using (await PatchAsync(location, 0, File1.AsMemory(0, 700_000)))
        {
        }

        await ReopenAsync();
        using var answer = await PatchAsync(location, 700_000, File1.AsMemory(700_000));
        await ShouldBeProblemAsync(answer, 460, "upload_checksum_mismatch");
        Catalog.Calls.ShouldBe(0);
    }

    [Fact]
    public async Task Files_that_no_journal_names_are_removed()
    {
        await Node.DisposeAsync();
        var folder = Path.Combine(Folder, "uploads");
        await File.WriteAllTextAsync(Path.Combine(folder, "01k00000000000000000000000.part"), "left over");
        await File.WriteAllTextAsync(Path.Combine(folder, "01k00000000000000000000001.journal.new"), "left over");
        await OpenAsync();
        Directory.GetFiles(folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_a_media_that_was_deleted_meanwhile_nothing_is_left()
    {
        var location = await LeaveUnpublishedAsync();
        Catalog.Refusal = StatusCode.NotFound;
        await OpenAsync();
        await Eventually.HoldsAsync(
            () => File.ReadAllText(PathOf(location, ".journal")).Contains("\"finished\""), "the upload is not over");
        (await SourceAsync(location)).ShouldBeNull();
    }

    [Fact]
    public async Task An_upload_that_expired_is_removed_while_others_cannot_be_published()
    {
        var location = await LeaveUnpublishedAsync();
        const string Expired = "01k00000000000000000000002";
        var journal = Path.Combine(Folder, "uploads", Expired + ".journal");
        UploadJournal.Create(journal, JournalEntry.Create(new UploadDescription
        {
            MediaId = Expired,
            Length = 100,
            Resumable = true,
            CreatedAt = DateTimeOffset.UnixEpoch,
            Metadata = new UploadMetadata(),
        }));
        await OpenAsync();
        await Eventually.HoldsAsync(() => !File.Exists(journal), "the expired upload stays");
        File.Exists(PathOf(location, ".journal")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_client_that_keeps_its_request_open_does_not_hold_up_the_others()
    {
        var held = await CreateAsync(File1.Length);
        var stuck = new Stuck(File1, File1.Length, announced: false);
        var running = PatchAsync(held, 0, stuck);
        await Eventually.HoldsAsync(async () => await OffsetAsync(held) == File1.Length, "the request does not run");

        Catalog.Refusal = StatusCode.Unavailable;
        var other = await CreateAsync(File1.Length);
        using (var answer = await PatchAsync(other, 0, File1))
        {
            await ShouldBeProblemAsync(answer, 503, "unavailable");
        }

        Catalog.Refusal = StatusCode.OK;
        await ShouldBePublishedAsync(other);
        File.ReadAllText(PathOf(held, ".journal")).ShouldNotContain("\"received\"");
        stuck.Release();
        await Should.ThrowAsync<HttpRequestException>(running);
    }

    [Fact]
    public async Task The_end_of_the_node_during_a_delivery_is_no_failure()
    {
        var location = await LeaveUnpublishedAsync();
        (Catalog.Refusal, Catalog.Hangs) = (StatusCode.OK, true);
        var calls = Catalog.Calls;
        await OpenAsync();
        await Eventually.HoldsAsync(() => Catalog.Calls > calls, "nothing is delivered");
        await Node.DisposeAsync();
        Log().ShouldNotContain("\"critical\"");

        Catalog.Hangs = false;
        await OpenAsync();
        await ShouldBePublishedAsync(location);
    }

    [Fact]
    public async Task A_journal_of_an_absurd_size_is_set_aside_and_the_node_starts()
    {
        var location = await CreateAsync(File1.Length);
        await Node.DisposeAsync();
        using (var journal = File.OpenWrite(PathOf(location, ".journal")))
        {
            journal.SetLength(UploadJournal.SizeLimitBytes + 1);
        }

        await OpenAsync();
        using var answer = await SendAsync(HttpMethod.Head, location);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        File.Exists(PathOf(location, ".journal.damaged")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_long_journal_is_compacted_and_says_the_same()
    {
        var location = await CreateAsync(File1.Length);
        using (await PatchAsync(location, 0, File1.AsMemory(0, 700_000)))
        {
        }

        await Node.DisposeAsync();
        var path = PathOf(location, ".journal");
        var lines = File.ReadAllLines(path);
        var repeats = (int)(UploadJournal.CompactAboveBytes / lines[^1].Length) + 1;
        File.AppendAllLines(path, Enumerable.Repeat(lines[^1], repeats));
        var (journal, _) = UploadJournal.Load(path)!.Value;

        journal.Append(JournalEntry.Advance(700_000, DateTimeOffset.UtcNow));

        var compacted = File.ReadAllLines(path);
        compacted.Length.ShouldBe(3);
        compacted[..2].ShouldBe([lines[0], lines[^1]]);
        await OpenAsync();
        (await OffsetAsync(location)).ShouldBe(700_000);
        await FinishAsync(location, 700_000);
    }

    // Everything but Catalog's answer; the node is down afterwards.
    private async Task<string> LeaveUnpublishedAsync()
    {
        Catalog.Refusal = StatusCode.Unavailable;
        var location = await CreateAsync(File1.Length);
        using (var answer = await PatchAsync(location, 0, File1))
        {
            await ShouldBeProblemAsync(answer, 503, "unavailable");
        }

        await Node.DisposeAsync();
        return location;
    }

    private void MoveBack(string location) => File.Move(
        Path.Combine(Folder, "objects", "sources", location.Split('/')[^1]), PathOf(location, ".part"));

    private void CutLines(string location, string word)
    {
        var path = PathOf(location, ".journal");
        var lines = File.ReadAllLines(path);
        lines.ShouldContain(line => line.Contains(word));
        var kept = lines.TakeWhile(line => !line.Contains(word)).Select(line => line + "\n");
        File.WriteAllText(path, string.Concat(kept));
    }

    private async Task FinishAsync(string location, int offset)
    {
        using var answer = await PatchAsync(location, offset, File1.AsMemory(offset));
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent, await answer.Content.ReadAsStringAsync());
        await ShouldBePublishedAsync(location);
    }

    private async Task ShouldBePublishedAsync(string location)
    {
        var mediaId = location.Split('/')[^1];
        await Eventually.HoldsAsync(
            () => File.ReadAllText(PathOf(location, ".journal")).Contains("\"finished\""), "the upload is not over");
        Catalog.Completed[mediaId].Source.Sha256.ToByteArray()
            .ShouldBe(System.Security.Cryptography.SHA256.HashData(File1));
        (await SourceAsync(location)).ShouldBe(File1);
    }
}
