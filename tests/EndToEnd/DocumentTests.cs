using Hexcast.EndToEnd.Documents;

namespace Hexcast.EndToEnd;

/// <summary>Every command of the pages for people is run, and does what the page says.</summary>
public sealed class DocumentTests(SharedPlatform shared)
{
    /// <summary>Long tables of results and reasons; nobody follows them at a shell.</summary>
    private static readonly string[] NotFollowed = ["docs/decisions/", "docs/drills/", "docs/images/"];

    public static TheoryData<string> Pages() =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Append(Path.Combine(Root, "README.md"))
            .Select(file => Path.GetRelativePath(Root, file))
            .Where(page => !NotFollowed.Any(folder => page.StartsWith(folder, StringComparison.Ordinal)))
            .Where(page => BlocksOf(page).Any(block => block.NotRun is null))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_does_what_it_says(string page)
    {
        using var folder = new TempFolder();
        var blocks = BlocksOf(page).Where(block => block.NotRun is null).ToList();
        var own = blocks.Any(block => block.KeepsRunning);
        var port = own ? PlatformProcess.FreePort() : shared.Http.BaseAddress!.Port;
        var run = new PageRun(folder.Path, page, port, own ? PlatformProcess.FreePort() : 0);
        run.Environment["HEXCAST_URL"] = $"http://127.0.0.1:{port}";
        if (!own)
        {
            Directory.CreateSymbolicLink(Path.Combine(folder.Path, "data"), shared.Platform.DataFolder);
            run.Environment["HEXCAST_TOKEN"] = shared.Platform.AdminToken;
            run.Environment["ID"] = await ReadyMediaAsync();
        }

        await run.RunAsync(blocks);
    }

    private async Task<string> ReadyMediaAsync()
    {
        var clip = shared.File("page.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 4);
        var id = await shared.Api.UploadAsync(clip, metadata: ("title", "City tour"));
        await shared.Api.WaitForAsync(id, "ready");
        return id;
    }

    private static List<ShellBlock> BlocksOf(string page) =>
        ShellBlock.Of(File.ReadAllText(Path.Combine(Root, page)));

    private static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Hexcast.slnx")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }
}
