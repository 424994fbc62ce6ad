using Hexcast.Platform.Access;

namespace Hexcast.Dashboard.Pages.Settings;

/// <summary>The tokens, and what somebody without script is in the middle of.</summary>
public sealed record TokensView
{
    public required IReadOnlyList<KnownToken> Tokens { get; init; }

    /// <summary>The form to create one stands open, with what was sent in it.</summary>
    public TokenDraft? Draft { get; init; }

    /// <summary>Shown this once.</summary>
    public string? Secret { get; init; }

    /// <summary>The one that is asked about before it is revoked.</summary>
    public KnownToken? Revoking { get; init; }

    /// <summary>Why something was refused.</summary>
    public string? Trouble { get; init; }
}

/// <param name="Expires">Seconds, as in the form; empty is never.</param>
public sealed record TokenDraft(string Name, IReadOnlyList<string> Scopes, string Tenant, string Expires)
{
    public static TokenDraft Empty { get; } = new("", [Scope.Read.Name()], "", "31536000");
}
