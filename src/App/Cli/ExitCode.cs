using Hexcast.Platform.Errors;

namespace Hexcast.App.Cli;

/// <summary>What the process ends with; the table for people is docs/operations/cli.md.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int NotFound = 3;
    public const int NoServer = 4;
    public const int MediaFailed = 5;
    public const int SetupMissing = 6;

    /// <summary>The server lets nobody in: no token, a wrong one, or one that may not.</summary>
    public const int Refused = 7;

    /// <summary>128 + SIGINT, as shells count.</summary>
    public const int Interrupted = 130;

    /// <summary>Of what another node answered, or this one found.</summary>
    public static int Of(string code) => code switch
    {
        ErrorCodes.Unavailable or ErrorCodes.DeadlineExceeded => NoServer,
        ErrorCodes.Unauthenticated or ErrorCodes.JoinTokenInvalid or ErrorCodes.JoinTokenExpired
            or ErrorCodes.JoinTokenUsed or ErrorCodes.NodeRemoved => Refused,
        ErrorCodes.InvalidArgument => Usage,
        _ => Failed,
    };
}

/// <summary>Ends the command with this code. The message is all that the person sees: it says what to do.</summary>
internal sealed class CliException(int exitCode, string message, Exception? inner = null)
    : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;
}
