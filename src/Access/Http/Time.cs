namespace Hexcast.Access.Http;

/// <summary>Times as the API shows them.</summary>
internal static class Time
{
    /// <summary>Null where there is none.</summary>
    public static string? Text(long unixMillis) =>
        unixMillis == 0 ? null : Text(DateTimeOffset.FromUnixTimeMilliseconds(unixMillis));

    public static string Text(DateTimeOffset time) => time.ToString("yyyy-MM-ddTHH:mm:ss.fffZ");
}
