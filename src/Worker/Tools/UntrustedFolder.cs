namespace Hexcast.Worker.Tools;

/// <summary>
/// Removes what tools have left. One that a source has taken over can leave folders without any permission, which their
/// owner may open again, and links to folders elsewhere, which are removed and never followed.
/// </summary>
internal static class UntrustedFolder
{
    private const UnixFileMode Open = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static void Delete(string path)
    {
        var folders = new Stack<DirectoryInfo>([new DirectoryInfo(path)]);
        while (folders.TryPop(out var folder))
        {
            if ((folder.UnixFileMode & Open) != Open)
            {
                folder.UnixFileMode |= Open;
            }

            foreach (var inner in folder.EnumerateDirectories())
            {
                if (inner.LinkTarget is null)
                {
                    folders.Push(inner);
                }
            }
        }

        Directory.Delete(path, recursive: true);
    }
}
