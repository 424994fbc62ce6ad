namespace Hexcast.Dashboard.Rendering;

/// <summary>An address that somebody else wrote and that a person is sent to: only one of this site's own.</summary>
internal static class LocalPath
{
    private const int LengthLimit = 2000;

    /// <summary>The path, or "/" where it leads away: another host, or what a browser would take for one.</summary>
    public static string OrHome(string? path) =>
        path is ['/', ..] and not ['/', '/' or '\\', ..] && path.Length <= LengthLimit
            && path.All(c => c is > ' ' and < (char)127 and not '\\')
            ? path
            : "/";
}
