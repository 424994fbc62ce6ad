namespace Hexcast.Platform.Access;

/// <summary>What a credential is good for.</summary>
public enum Scope
{
    /// <summary>Send files, and nothing else.</summary>
    Upload,

    /// <summary>See media and mint playback tokens.</summary>
    Read,

    /// <summary>Everything, the other two included.</summary>
    Admin,
}

/// <summary>Scopes as the API spells them.</summary>
public static class Scopes
{
    public static readonly IReadOnlyList<string> Names = ["upload", "read", "admin"];

    public static string Name(this Scope scope) => Names[(int)scope];

    public static bool TryParse(string? name, out Scope scope)
    {
        var index = name is null ? -1 : Names.ToList().IndexOf(name);
        scope = (Scope)Math.Max(index, 0);
        return index >= 0;
    }
}
