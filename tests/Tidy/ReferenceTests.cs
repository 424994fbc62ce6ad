using System.Xml.Linq;

namespace Hexcast.Tidy;

/// <summary>Who may reference whom. The assembly is the only wall that the compiler checks.</summary>
public sealed class ReferenceTests
{
    private static readonly string[] RoleMayUse = ["Contracts", "Platform", "Coordination", "Media", "Grpc"];

    /// <summary>The shared projects and what each may use. Everything else under src, but App, is a role.</summary>
    private static readonly Dictionary<string, string[]> SharedMayUse = new(StringComparer.Ordinal)
    {
        ["Media"] = [],
        ["Raft"] = [],
        ["Grpc"] = [],
        ["Contracts"] = ["Grpc"],
        ["Platform"] = ["Contracts", "Grpc", "Media"],
        ["Coordination"] = ["Contracts", "Platform", "Grpc", "Raft"],
    };

    /// <summary>Nothing but the base class library: no package either.</summary>
    private static readonly string[] BaseClassLibraryOnly = ["Media", "Raft"];

    [Fact]
    public void Projects_reference_only_what_the_design_allows() =>
        SourceProjects()
            .Where(p => p.Name != "App")
            .SelectMany(p => p.References
                .Except(SharedMayUse.GetValueOrDefault(p.Name, RoleMayUse), StringComparer.Ordinal)
                .Select(r => $"src/{p.Name} → {r}"))
            .ShouldFindNothing("Roles call each other through gRPC; shared projects never look up:");

    [Fact]
    public void Media_and_Raft_use_the_base_class_library_only() =>
        SourceProjects()
            .Where(p => BaseClassLibraryOnly.Contains(p.Name, StringComparer.Ordinal))
            .SelectMany(p => p.Packages.Select(r => $"src/{p.Name} → {r}"))
            .ShouldFindNothing("These are pure; take the package out:");

    [Fact]
    public void Banned_calls_are_errors_in_every_source_project()
    {
        var properties = Repository.Files.Single(f => f.Path == "Directory.Build.props").Text;
        properties.ShouldContain("BannedSymbols.txt");
        Repository.Files.Single(f => f.Path == ".editorconfig").Text
            .ShouldContain("dotnet_diagnostic.RS0030.severity = error");

        Repository.Under("src").Where(f => Path.GetFileName(f.Path) is "Directory.Build.props" or ".editorconfig")
            .Select(f => f.Path).ShouldFindNothing("One file at the root holds the rules of the house:");
        Repository.Under("src").Where(f => f.Path.EndsWith(".csproj", StringComparison.Ordinal))
            .Where(f => f.Text.Contains("RS0030", StringComparison.Ordinal)
                || f.Text.Contains("TreatWarningsAsErrors", StringComparison.Ordinal)
                || f.Text.Contains("AdditionalFiles Remove", StringComparison.Ordinal))
            .Select(f => f.Path).ShouldFindNothing("A project does not loosen the rules of the house:");
    }

    private static IEnumerable<Project> SourceProjects() =>
        Repository.Under("src").Where(f => f.Path.EndsWith(".csproj", StringComparison.Ordinal)).Select(f =>
        {
            var xml = XDocument.Parse(f.Text);
            return new Project(
                Path.GetFileNameWithoutExtension(f.Path),
                [.. Includes(xml, "ProjectReference").Select(Path.GetFileNameWithoutExtension).OfType<string>()],
                [.. Includes(xml, "PackageReference").Concat(Includes(xml, "FrameworkReference"))]);
        });

    private static IEnumerable<string> Includes(XDocument xml, string element) =>
        xml.Descendants(element).Select(e => (string?)e.Attribute("Include")).OfType<string>();

    private sealed record Project(string Name, string[] References, string[] Packages);
}
