using System.Text;
using Hexcast.Harness;

namespace Hexcast.Leaks;

/// <summary>
/// Runs last (scripts/test.sh): none of the secrets that the whole suite used stands in a log, a trace, an audit log or
/// on the standard error that it made.
/// </summary>
public sealed class SuiteTests
{
    [Fact]
    public void No_secret_of_the_suite_stands_in_what_it_logged_traced_audited_or_said()
    {
        Assert.SkipWhen(Evidence.Folder is null, $"Runs after the others, over what {Evidence.Variable} names.");
        var secrets = Lines("secrets").Select(l => Encoding.UTF8.GetString(Convert.FromBase64String(l)))
            .ToHashSet(StringComparer.Ordinal);
        var (logs, spans) = (Lines("log").Count(), Lines("spans").Count());
        Assert.SkipWhen(secrets.Count + logs + spans == 0, "No suite that starts a platform was run.");
        TestContext.Current.SendDiagnosticMessage($"{secrets.Count} secrets, {logs} log lines, {spans} exports");

        var scanner = new LeakScanner(secrets);
        var shown = new FirstShowing();
        var found = new[] { "log", "spans", "audit" }.SelectMany(Files)
            .SelectMany(file => scanner.Scan(Path.GetFileName(file), File.ReadLines(file)))
            .Concat(Files("words").SelectMany(
                file => scanner.Scan(Path.GetFileName(file), File.ReadLines(file).Select(shown.Without))))
            .ToList();
        found.ShouldBeEmpty(string.Join('\n', found.Take(20)));
    }

    /// <summary>A whole run leaves much of each; an empty file would be searched in vain.</summary>
    [Fact]
    public void A_whole_run_has_left_something_to_search()
    {
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable("HEXCAST_TEST_WHOLE") is null, "Only after a run of every test.");
        Lines("secrets").Distinct().Count().ShouldBeGreaterThan(20);
        Lines("log").Count().ShouldBeGreaterThan(500);
        Lines("spans").Count().ShouldBeGreaterThan(20);
        Lines("audit").Count().ShouldBeGreaterThan(50);
        Lines("words").Count().ShouldBeGreaterThan(20);
        Lines("browser-cookies").Count().ShouldBeGreaterThan(1);
        Lines("browser-tokens").Count().ShouldBeGreaterThan(1);
    }

    private static IEnumerable<string> Files(string kind) => Directory.GetFiles(Evidence.Folder!, kind + "-*");

    private static IEnumerable<string> Lines(string kind) => Files(kind).SelectMany(File.ReadLines);
}
