using Hexcast.App.Cli;
using Hexcast.Platform.Access;

namespace Hexcast.App.Client;

/// <summary>Which token a client shows.</summary>
internal static class Tokens
{
    public const string Hint =
        $"Set {HexcastClient.TokenVariable} to an API token (./hexcast token create), or on the server's own machine "
        + $"name its data folder with --data: the admin token is its {AdminToken.FileName}.";

    /// <summary>HEXCAST_TOKEN; without it, for a server on this machine, the data folder's; else null.</summary>
    public static string? Find(Uri address, string dataFolder)
    {
        var named = Environment.GetEnvironmentVariable(HexcastClient.TokenVariable)?.Trim();
        return named is { Length: > 0 } ? RequireSendable(named, HexcastClient.TokenVariable)
            : address.IsLoopback ? OfFolder(dataFolder)
            : null;
    }

    /// <summary>Null where the folder holds none.</summary>
    /// <exception cref="CliException">It is there and cannot be read.</exception>
    public static string? OfFolder(string dataFolder)
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
    private static string RequireSendable(string token, string from) =>
        token.Length is > 0 and <= 256 && token.All(c => c is > ' ' and <= '~')
            ? token
            : throw new CliException(ExitCode.Usage, $"{from} holds no token: one begins with hxc_.");
}
