using System.Text.RegularExpressions;

namespace Hexcast.Tidy;

/// <summary>
/// A deterministic core is a state machine, <c>Step(event, now) → effects</c>, that can be replayed exactly:
/// no I/O, clock, thread, task, random or logger inside.
/// </summary>
public sealed partial class CoreTests
{
    /// <summary>The cores of the house: files, or folders with all that is in them.</summary>
    private static readonly string[] Cores =
    [
        "src/Master/Scheduling/",
        "src/Coordination/Embedded/CoordinatorCore.cs",
        "src/Coordination/Embedded/CoordinatorCore.Applying.cs",
        "src/Coordination/Embedded/CoordinatorCore.Leading.cs",
        "src/Coordination/Embedded/CoordinatorCore.Reading.cs",
        "src/Coordination/Embedded/CoordinatorCore.Watching.cs",
        "src/Coordination/Embedded/CoordinatorEvents.cs",
        "src/Coordination/Embedded/GroupOfOne.cs",
        "src/Coordination/Embedded/Leases/",
        "src/Coordination/Embedded/Mvcc/",
        "src/Coordination/Embedded/RequestReach.cs",
        "src/Coordination/Embedded/RequestRules.cs",
        "src/Coordination/Embedded/SnapshotContent.cs",
        "src/Coordination/Embedded/SnapshotMaking.cs",
        "src/Coordination/Embedded/StateMachine.cs",
        "src/Coordination/Embedded/Watching/",
        "src/Media/",
        "src/Platform/Calls/CallGate.cs",
        "src/Raft/",
        "src/Catalog/Versions/VersionComposition.cs",
        "src/Catalog/Versions/VersionIndexBuilder.cs",
        "src/Catalog/Versions/VersionRules.cs",
        "src/Upload/UploadEvents.cs",
        "src/Upload/UploadState.cs",
        "src/Worker/WorkerCore.cs",
        "src/Worker/WorkerEffect.cs",
        "src/Worker/WorkerEvent.cs",
    ];

    [Fact]
    public void Cores_do_no_io_and_read_no_clock() =>
        Cores.SelectMany(FilesOf).SelectMany(f => f.Matches(Impure()))
            .Where(finding => !finding.Contains("///", StringComparison.Ordinal))
            .ShouldFindNothing("Move these into the shell around the core:");

    [Fact]
    public void Every_core_that_is_listed_is_there() =>
        Cores.Where(c => !FilesOf(c).Any()).ShouldFindNothing("Moved? Name its new place in CoreTests:");

    private static IEnumerable<SourceFile> FilesOf(string core) =>
        Repository.CSharp.Where(f => f.Path == core
            || (core.EndsWith('/') && f.Path.StartsWith(core, StringComparison.Ordinal)));

    [GeneratedRegex(
        @"\b(TimeProvider|Random|RandomNumberGenerator|ILogger|HttpClient|Stopwatch|FileStream|await)\b|\basync [A-Z(]"
        + @"|\b(Value)?Task(<|\.(Run|Delay|When|From|Completed|Yield|Factory))"
        + @"|\bThread\.|\bnew (Thread|Process|Socket|Timer)\b|\bProcess\.Start"
        + @"|(?<![\w.])(File|Directory|Console|Environment)\.[A-Z]",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Impure();
}
