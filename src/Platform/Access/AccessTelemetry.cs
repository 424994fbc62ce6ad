using System.Diagnostics.Metrics;
using Hexcast.Platform.Errors;

namespace Hexcast.Platform.Access;

/// <summary>Who is let in and who is not, in counts: names and addresses are the audit log's.</summary>
public static class AccessTelemetry
{
    private static readonly Meter Meter = new("Hexcast.Access");

    private static readonly Counter<long> SignIns = Meter.CreateCounter<long>(
        "access.sign_ins", "{attempt}", "Tries of a browser to sign in, by outcome");

    private static readonly Counter<long> Refusals = Meter.CreateCounter<long>(
        "access.refusals", "{request}", "Requests that were not let in, by the code that they were answered with");

    private static readonly string[] RefusalCodes =
    [
        ErrorCodes.Unauthenticated, ErrorCodes.CredentialInvalid, ErrorCodes.CredentialExpired,
        ErrorCodes.ScopeMissing, ErrorCodes.CrossSite, ErrorCodes.TooManyAttempts,
    ];

    /// <summary>A counter that was never needed is 0, not absent: alerts count on it.</summary>
    public static void Zero()
    {
        foreach (var outcome in (string[])["ok", "refused", "limited", "failed"])
        {
            SignIns.Add(0, Label("outcome", outcome));
        }

        foreach (var code in RefusalCodes)
        {
            Refusals.Add(0, Label("code", code));
        }
    }

    /// <param name="refusal">The code that it was refused with; null: signed in.</param>
    public static void NoteSignIn(string? refusal) => SignIns.Add(1, Label("outcome", refusal switch
    {
        null => "ok",
        ErrorCodes.CredentialInvalid or ErrorCodes.CredentialExpired => "refused",
        ErrorCodes.TooManyAttempts => "limited",
        _ => "failed",
    }));

    /// <summary>Failures of ours, such as <c>unavailable</c>, are none.</summary>
    internal static void NoteRefusal(string code)
    {
        if (RefusalCodes.Contains(code, StringComparer.Ordinal))
        {
            Refusals.Add(1, Label("code", code));
        }
    }

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);
}
