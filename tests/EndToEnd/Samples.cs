namespace Hexcast.EndToEnd;

/// <summary>
/// Real footage, too large for the repository: in the folder that HEXCAST_SAMPLES names, or beside the checkout.
/// </summary>
internal static class Samples
{
    public static string? Find(string name)
    {
        var folder = Environment.GetEnvironmentVariable("HEXCAST_SAMPLES") ?? Beside();
        var path = folder is null ? null : Path.Combine(folder, name);
        return File.Exists(path) ? path : null;
    }

    private static string? Beside()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Hexcast.slnx")))
            {
                return Path.Combine(at.Parent!.FullName, "shared", "media");
            }
        }

        return null;
    }
}
