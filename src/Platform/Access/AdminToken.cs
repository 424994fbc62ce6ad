namespace Hexcast.Platform.Access;

/// <summary>Where a node's admin token lies, for the node that makes it and for clients on the same machine.</summary>
public static class AdminToken
{
    public const string FileName = "admin.token";

    public static string PathIn(string dataFolder) => Path.Combine(dataFolder, FileName);
}
