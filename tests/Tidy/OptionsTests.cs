using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Hexcast.Tidy;

/// <summary>Options and docs/operations/configuration.md say the same. WorkerOptions is the section Worker.</summary>
public sealed partial class OptionsTests
{
    private const string Document = "docs/operations/configuration.md";
    private const string Ending = "Options";

    private static readonly Type[] OptionTypes = [.. Assemblies.All.SelectMany(a => a.GetTypes())
        .Where(type => type.Name.EndsWith(Ending, StringComparison.Ordinal) && IsBound(type))];

    /// <summary>Section:Name → the default as it is written in a configuration file.</summary>
    private static readonly Dictionary<string, string> InCode = OptionTypes
        .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite)
            .Select(property => (
                Key: $"{type.Name[..^Ending.Length]}:{property.Name}",
                Default: Written(property.GetValue(Activator.CreateInstance(type))))))
        .ToDictionary(option => option.Key, option => option.Default, StringComparer.Ordinal);

    private static readonly Dictionary<string, string> InDocument = Row()
        .Matches(Repository.Files.Single(f => f.Path == Document).Text)
        .ToDictionary(row => row.Groups["key"].Value, row => row.Groups["default"].Value, StringComparer.Ordinal);

    [Fact]
    public void Every_option_has_a_row() =>
        InCode.Keys.Except(InDocument.Keys, StringComparer.Ordinal)
            .Select(key => $"| `{key}` | `{InCode[key]}` | … | … |")
            .ShouldFindNothing($"Add to {Document}:");

    [Fact]
    public void Every_row_is_an_option() =>
        InDocument.Keys.Except(InCode.Keys, StringComparer.Ordinal)
            .ShouldFindNothing($"These are in {Document} and no options record has them:");

    [Fact]
    public void Every_row_says_the_real_default() =>
        InDocument.Where(row => InCode.TryGetValue(row.Key, out var real)
                && !string.Equals(real, row.Value, StringComparison.OrdinalIgnoreCase))
            .Select(row => $"{row.Key}: documented `{row.Value}`, really `{InCode[row.Key]}`")
            .ShouldFindNothing($"Correct in {Document}:");

    [Fact]
    public void Options_are_records() =>
        // The compiler's copy method is what tells a record from a class.
        OptionTypes.Where(type => type.GetMethod("<Clone>$") is null).Select(type => type.FullName!)
            .ShouldFindNothing("Make these records:");

    /// <summary>A module's options live beside it; other types of that ending are parameters.</summary>
    private static bool IsBound(Type type) =>
        type is { IsClass: true, IsAbstract: false, IsNested: false }
        && type.Assembly.GetType($"{type.Namespace}.{type.Name[..^Ending.Length]}Module") is not null;

    private static string Written(object? value) => value switch
    {
        null => "",
        TimeSpan time => Trimmed(time.ToString("c", CultureInfo.InvariantCulture)),
        IEnumerable<string> list => string.Join(", ", list),
        System.Collections.ICollection { Count: 0 } => "",
        bool yes => yes ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string Trimmed(string time) =>
        time.LastIndexOf('.') > time.LastIndexOf(':') ? time.TrimEnd('0') : time;

    [GeneratedRegex(
        @"^\| `(?<key>\w+:\w+)` \| (none|`(?<default>[^`]*)`) \|",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Row();
}
