using Hexcast.App.Client;
using Hexcast.Platform.Access;

namespace Hexcast.App.Cli;

/// <summary>
/// Says the admin token to whoever starts a platform for the first time, once, and afterwards only where it lies; and
/// how the other commands find a platform that is not where they look by themselves. On standard error: it is neither
/// a log line nor a result.
/// </summary>
internal sealed class FirstToken
{
    private readonly string dataFolder;
    private readonly bool wasThere;

    private FirstToken(string dataFolder, bool wasThere) => (this.dataFolder, this.wasThere) = (dataFolder, wasThere);

    /// <summary>Before the start, which makes the file.</summary>
    public static FirstToken In(string dataFolder) => new(dataFolder, File.Exists(AdminToken.PathIn(dataFolder)));

    /// <param name="address">Where clients of this machine reach the platform.</param>
    public async Task TellAsync(Uri address)
    {
        var path = AdminToken.PathIn(dataFolder);
        var token = wasThere ? null : Tokens.OfFolder(dataFolder)?.Secret;
        await Console.Error.WriteLineAsync(token is null
            ? $"hexcast: sign in with the admin token in {path}"
            : $"hexcast: sign in with the admin token {token} (shown this once; it is kept in {path})");
        if (Exports(address, path) is { } exports)
        {
            await Console.Error.WriteLineAsync($"hexcast: for the other commands: export {exports}");
        }
    }

    /// <summary>Null where they find it without.</summary>
    private static string? Exports(Uri address, string tokenPath)
    {
        var needed = new List<string>();
        if (address != new Uri(HexcastClient.DefaultUrl))
        {
            needed.Add($"{HexcastClient.UrlVariable}={address.GetLeftPart(UriPartial.Authority)}");
        }

        if (tokenPath != AdminToken.PathIn(Path.GetFullPath(NodeOptions.DefaultData)))
        {
            // Read when the line is run: a secret does not belong into a shell's history.
            var quoted = $"'{tokenPath.Replace("'", "'\\''", StringComparison.Ordinal)}'";
            needed.Add($"{HexcastClient.TokenVariable}=\"$(cat {quoted})\"");
        }

        return needed.Count == 0 ? null : string.Join(' ', needed);
    }
}
