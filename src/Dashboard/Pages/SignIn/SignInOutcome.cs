namespace Hexcast.Dashboard.Pages.SignIn;

/// <summary>What has led to the form.</summary>
public enum SignInOutcome
{
    None,
    Failed,
    Limited,

    /// <summary>The token that one is signed in with may not open the page.</summary>
    Denied,

    /// <summary>A page was open when its session ended.</summary>
    Ended,

    /// <summary>The role that knows the tokens does not answer.</summary>
    Unavailable,
}
