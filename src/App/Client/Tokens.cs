using Hexcast.App.Cli;
using Hexcast.Platform.Access;

namespace Hexcast.App.Client;

/// <param name="From">The variable or the file that it stands in, for people.</param>
internal sealed record ShownToken(string Secret, string From);

/// <summary>Which token a client shows.</summary>
internal static class Tokens
{
    private const string Cure =
        $"Set {HexcastClient.TokenVariable} to an API token (./hexcast token create), or on the server's own machine "
        + $"name its data folder with --data: the admin token is its {AdminToken.FileName}.";

    /// <summary>HEXCAST_TOKEN; without it, for a server on this machine, the data folder's; else null.</summary>
    /// <param name="named">The folder was asked for: that it holds no token is an error, and not a lack.</param>
    public static ShownToken? Find(Uri address, string dataFolder, bool named)
    {
        var set = Environment.GetEnvironmentVariable(HexcastClient.TokenVariable)?.Trim();
        if (set is { Length: > 0 })
        {
            return RequireSendable(set, HexcastClient.TokenVariable);
        }

        if (!address.IsLoopback)
        {
            return null;
        }

        return OfFolder(dataFolder) ?? (named ? throw new CliException(
            ExitCode.Refused,
            $"there is no {AdminToken.PathIn(dataFolder)}: --data has to be the data folder of the platform that "
            + $"{address.GetLeftPart(UriPartial.Authority)} is.") : null);
    }

    /// <summary>What to do where a server does not know who this is.</summary>
    public static string Hint(ShownToken? shown, Uri server) => shown is null
        ? $"No token was sent. {Cure}"
        : $"{server.GetLeftPart(UriPartial.Authority)} was shown the token of {shown.From}. Is it that platform's? "
            + $"{HexcastClient.UrlVariable} names another one. {Cure}";

    /// <summary>Null where the folder holds none.</summary>
    /// <exception cref="CliException">It is there and cannot be read.</exception>
    public static ShownToken? OfFolder(string dataFolder)
    {
        var path = AdminToken.PathIn(dataFolder);
        try
        {
            return File.Exists(path) ? RequireSendable(File.ReadAllText(path).Trim(), path) : null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CliException(
                ExitCode.Refused,
                $"cannot read {path}: {refused.Message} Set {HexcastClient.TokenVariable} to a token of your own.",
                refused);
        }
    }

    // It becomes a header: a line break or a letter of another alphabet would not get there.
    private static ShownToken RequireSendable(string token, string from) =>
        token.Length is > 0 and <= 256 && token.All(c => c is > ' ' and <= '~')
            ? new ShownToken(token, from)
            : throw new CliException(ExitCode.Usage, $"{from} holds no token: one begins with hxc_.");
}
