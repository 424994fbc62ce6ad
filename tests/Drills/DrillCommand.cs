namespace Hexcast.Drills;

/// <summary>What is asked for: a drill, or one row of it, on one coordinator.</summary>
internal sealed record Asked(string? Row, string? Coordinator);

/// <summary>One of the long fault runs.</summary>
/// <param name="RunAsync">Answers whether all limits were kept.</param>
/// <param name="HindranceOf">Why what is asked for cannot be had on this machine, or null.</param>
internal sealed record Drill(Func<Asked, Task<bool>> RunAsync, Func<Asked, string?> HindranceOf);

/// <summary>What the arguments come to, and the exit code; ./hexcast help says what each code means.</summary>
internal static class DrillCommand
{
    public const int Kept = 0;
    public const int NotKept = 1;
    public const int Usage = 2;
    public const int Hindered = 6;

    private const string All = "all";
    private const string WithRows = "cluster";

    /// <param name="drills">By name, in the order in which all are run.</param>
    /// <param name="rows">Of the one that has any, by coordinator.</param>
    /// <param name="errors">Gets what a person is told who asked in vain.</param>
    public static async Task<int> RunAsync(
        string[] arguments, IReadOnlyDictionary<string, Drill> drills,
        IReadOnlyDictionary<string, IReadOnlyList<string>> rows, TextWriter errors)
    {
        var name = arguments.FirstOrDefault();
        var asked = new Asked(arguments.ElementAtOrDefault(1), arguments.ElementAtOrDefault(2));
        if (name is null || !(name == All || drills.ContainsKey(name)) || arguments.Length > 3
            || (asked.Row is not null && !(name == WithRows && IsThere(asked, rows))))
        {
            TellUsage(drills.Keys, rows, errors);
            return name is "--help" or "-h" ? Kept : Usage;
        }

        var isMet = true;
        foreach (var (each, drill) in drills.Where(drill => name == All || name == drill.Key))
        {
            if (drill.HindranceOf(asked) is { } hindrance)
            {
                errors.WriteLine($"{asked.Row ?? each}: {hindrance}");
                if (name != All)
                {
                    return Hindered;
                }
            }
            else
            {
                isMet &= await drill.RunAsync(asked);
            }
        }

        return isMet ? Kept : NotKept;
    }

    private static bool IsThere(Asked asked, IReadOnlyDictionary<string, IReadOnlyList<string>> rows) =>
        rows.Any(on => (asked.Coordinator ?? on.Key) == on.Key && on.Value.Contains(asked.Row!));

    private static void TellUsage(
        IEnumerable<string> drills, IReadOnlyDictionary<string, IReadOnlyList<string>> rows, TextWriter errors)
    {
        errors.WriteLine($"usage: ./hexcast drill NAME|{All}    (NAME: {string.Join(", ", drills)})");
        foreach (var (on, names) in rows)
        {
            errors.WriteLine($"       ./hexcast drill {WithRows} ROW [{on}]    (ROW: {string.Join(", ", names)})");
        }
    }
}
