namespace Hexcast.Dashboard.Pages.SignIn;

/// <summary>What has led to the form.</summary>
public enum SignInOutcome
{
    None,
    Failed,
    Limited,
    SignedOut,
}
