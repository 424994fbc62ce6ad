namespace Hexcast.Platform.Access;

/// <summary>An address that somebody else wrote and that a person is sent to: only one of this server's own.</summary>
public static class LocalPath
{
    private const int LengthLimit = 2048;

    /// <summary>
    /// Browsers read "//host", "/\host" and "/⇥/host" as addresses of other servers, and a line break would end the
    /// header; all that is not plainly a path of ours goes home.
    /// </summary>
    public static string OrHome(string? path, string home = "/") =>
        path is { Length: >= 1 and <= LengthLimit } && path[0] == '/'
        && (path.Length == 1 || path[1] is not ('/' or '\\'))
        && path.All(c => c is > ' ' and <= '~' and not '\\')
            ? path : home;
}
