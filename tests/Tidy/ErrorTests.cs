using System.Reflection;
using System.Text.RegularExpressions;
using Hexcast.Media;
using Hexcast.Platform.Errors;

namespace Hexcast.Tidy;

/// <summary>docs/operations/errors.md explains every code that leaves the platform, with its real status.</summary>
public sealed partial class ErrorTests
{
    private const string Document = "docs/operations/errors.md";

    private static readonly IReadOnlyList<string> InCode =
    [
        .. ErrorCodes.All
            .Concat(Enum.GetValues<MediaErrorCode>().Select(code => code.WireName()))
            .Concat(WorkersOwn())
            .Concat(Repository.CSharp.Where(f => f.Path.StartsWith("src/", StringComparison.Ordinal))
                .SelectMany(f => Spelled().Matches(f.Text)).Select(found => found.Groups["code"].Value))
            .Distinct(StringComparer.Ordinal),
    ];

    private static readonly List<(string Code, string Status)> InDocument =
    [
        .. Row().Matches(Repository.Files.Single(f => f.Path == Document).Text)
            .Select(row => (row.Groups["code"].Value, row.Groups["status"].Value)),
    ];

    [Fact]
    public void Every_code_has_a_row() =>
        InCode.Except(InDocument.Select(row => row.Code), StringComparer.Ordinal)
            .ShouldFindNothing($"Say in {Document} what these mean and what to do:");

    [Fact]
    public void Every_row_is_a_code() =>
        InDocument.Select(row => row.Code).Except(InCode, StringComparer.Ordinal)
            .ShouldFindNothing($"Nothing answers with these any more; take them out of {Document}:");

    [Fact]
    public void Every_status_is_the_real_one() =>
        InDocument.Where(row => row.Status.Length > 0)
            .Where(row => row.Status != $"{ErrorCodes.HttpStatus(row.Code)} {ErrorCodes.GrpcStatus(row.Code)}")
            .Select(row => $"{row.Code}: {ErrorCodes.HttpStatus(row.Code)} {ErrorCodes.GrpcStatus(row.Code)}")
            .ShouldFindNothing($"Correct in {Document}; these are:");

    [Fact]
    public void Every_row_says_when_and_what_to_do() =>
        Repository.Files.Single(f => f.Path == Document).Lines
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Where(line => line.Split('|') is not [_, _, _, { Length: > 2 }, { Length: > 2 }, _])
            .ShouldFindNothing($"Each row of {Document} is code, status, when, what to do:");

    // The worker's table is internal to it, as everything of a role.
    private static IEnumerable<string> WorkersOwn() =>
        Assemblies.Roles.Select(role => role.GetType($"{role.GetName().Name}.Attempts.FailureCodes")).OfType<Type>()
            .SelectMany(table => table.GetFields(BindingFlags.Public | BindingFlags.Static))
            .Where(field => !field.Name.EndsWith("Message", StringComparison.Ordinal))
            .Select(field => (string)field.GetRawConstantValue()!);

    [GeneratedRegex("""\bCode = "(?<code>[a-z_]+)",""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Spelled();

    [GeneratedRegex(
        @"^\| `(?<code>[a-z_]+)` \| (?<status>\d+ \w+)?",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Row();
}
