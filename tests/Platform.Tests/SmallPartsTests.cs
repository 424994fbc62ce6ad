using System.ComponentModel.DataAnnotations;
using Hexcast.Contracts;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Identity;
using Hexcast.Platform.Logging;
using Hexcast.Platform.Presets;
using Hexcast.Platform.Sql;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Tests;

public sealed class SmallPartsTests
{
    [Fact]
    public void Ids_made_later_sort_later_and_are_read_back()
    {
        var clock = new SetClock();
        var ids = new IdSource(clock);
        var texts = new List<string>();
        for (var i = 0; i < 50; i++)
        {
            texts.Add(ids.NewMediaId().ToString());
            clock.Now += TimeSpan.FromMilliseconds(1);
        }

        texts.ShouldBe(texts.Order(StringComparer.Ordinal));
        texts.Count(text => MediaId.TryParse(text, out _)).ShouldBe(50);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0192")]
    [InlineData("01HXXXXXXXXXXXXXXXXXXXXXXX")]
    [InlineData("zzzzzzzzzzzzzzzzzzzzzzzzzz")]
    [InlineData("0000000000000000000000000/")]
    public void Another_spelling_is_no_media_id(string? text) => MediaId.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void A_uuid_is_its_128_bits_in_base32() =>
        MediaId.From(new Guid("ffffffff-ffff-ffff-ffff-ffffffffffff")).ToString()
            .ShouldBe("7zzzzzzzzzzzzzzzzzzzzzzzzz");

    [Fact]
    public void Wrong_options_are_named_all_at_once()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([
            new("Part:Slots", "0"), new("Part:Wait", "soon"), new("Part:Sloots", "3"),
        ]).Build();

        var failure = Should.Throw<ConfigurationException>(
            () => OptionsBinder.Bind<PartOptions>(configuration, "Part"));

        failure.Problems.Count.ShouldBe(3);
        failure.Message.ShouldContain("Part:Sloots is no option");
        failure.Message.ShouldContain("Part:Wait = 'soon'");
        failure.Message.ShouldContain("Part:Slots = '0'");
    }

    [Theory]
    [InlineData("GET /play/x?token=abc.def", "GET /play/x?token=[redacted]")]
    [InlineData("Authorization: Bearer s3cret next", "Authorization: Bearer [redacted] next")]
    [InlineData("got eyJhbGciOi.eyJzdWIi.c2ln here", "got [redacted] here")]
    [InlineData("nothing to hide", "nothing to hide")]
    [InlineData("joining by hxj_GN79E3si-YS_I6 now", "joining by [redacted] now")]
    public void Secrets_do_not_reach_the_log(string text, string expected) =>
        Redaction.Apply(text).ShouldBe(expected);

    [Fact]
    public async Task Migrations_run_once_and_a_newer_schema_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory("hexcast-sql-");
        var path = Path.Combine(folder.FullName, "a.db");
        Migration[] first = [new(1, "rows", "CREATE TABLE rows (id INTEGER PRIMARY KEY)")];
        Migration[] both = [.. first, new(2, "names", "ALTER TABLE rows ADD COLUMN name TEXT")];
        using (var database = new SqliteDatabase(path, first))
        {
            await database.WriteAsync(
                (connection, transaction) => Dapper.SqlMapper.Execute(
                    connection, "INSERT INTO rows VALUES (7)", transaction: transaction),
                CancellationToken.None);
        }

        using (var database = new SqliteDatabase(path, both))
        {
            database.Read(connection => Dapper.SqlMapper.ExecuteScalar<long>(
                connection, "SELECT count(*) FROM rows WHERE name IS NULL")).ShouldBe(1);
        }

        Should.Throw<InvalidOperationException>(() => new SqliteDatabase(path, first)).Message.ShouldContain("newer");
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Lines_that_a_full_disk_refuses_are_dropped_and_counted()
    {
        using var disk = new FillingWriter();
        using var lines = new JsonLines(disk, TimeProvider.System);
        var log = lines.CreateLogger("Hexcast.Platform.Test");
        disk.IsFull = true;
        log.LogInformation("first");
        log.LogInformation("second");
        disk.IsFull = false;
        log.LogInformation("third");
        log.LogInformation("fourth");

        var written = disk.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        written.Length.ShouldBe(2);
        written[0].ShouldContain("\"message\":\"third\",\"dropped_lines\":2");
        written[1].ShouldNotContain("dropped_lines");
    }

    [Fact]
    public void An_installation_without_the_default_preset_is_refused_by_name()
    {
        var folder = Directory.CreateTempSubdirectory("hexcast-presets-");
        Should.Throw<ConfigurationException>(() => new PresetCatalog(folder.FullName))
            .Message.ShouldContain($"'{PresetCatalog.Default}'");
        folder.Delete(recursive: true);
    }

    private sealed class FillingWriter : StringWriter
    {
        public bool IsFull { get; set; }

        public override void WriteLine(string? value)
        {
            if (IsFull)
            {
                throw new IOException("No space left on device");
            }

            base.WriteLine(value);
        }
    }

    private sealed record PartOptions
    {
        [Range(1, 64, ErrorMessage = "1 to 64")]
        public int Slots { get; init; } = 2;

        public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(1);
    }

    private sealed class SetClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
