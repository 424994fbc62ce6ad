using Hexcast.Platform.Errors;

namespace Hexcast.Platform.ObjectStore;

/// <summary>The grammar of keys, which is also what keeps one from leaving the store's folder (I7).</summary>
public static class ObjectKey
{
    private const int LengthLimit = 512;

    public static string Source(string mediaId) => $"sources/{mediaId}";

    public static string MediaPrefix(string mediaId) => $"media/{mediaId}/";

    public static string VersionPrefix(string mediaId, string version) => $"media/{mediaId}/{version}/";

    public static string ImagesPrefix(string mediaId) => $"images/{mediaId}/";

    /// <summary>Where one attempt of a task writes; nobody else does.</summary>
    public static string AttemptPrefix(string mediaId, string version, string taskId, uint attempt) =>
        $"{VersionPrefix(mediaId, version)}{taskId}-{attempt}/";

    /// <summary>Segments of letters, digits, '-', '_' and '.', none of them "." or "..", joined by slashes.</summary>
    public static void Check(string key)
    {
        var ok = key.Length is > 0 and <= LengthLimit;
        foreach (var segment in key.Split('/'))
        {
            ok &= segment.Length > 0 && segment[0] != '.' &&
                segment.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
        }

        if (!ok)
        {
            throw new HexcastException(ErrorCodes.InvalidArgument, $"'{key}' is no object key.");
        }
    }
}
