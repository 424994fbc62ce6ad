using Hexcast.App.Client;
using Hexcast.Platform.Access;

namespace Hexcast.App.Cli;

/// <summary>
/// Says the admin token to whoever starts a platform for the first time, once, and afterwards only where it lies. On
/// standard error: it is neither a log line nor a result.
/// </summary>
internal sealed class FirstToken
{
    private readonly string dataFolder;
    private readonly bool wasThere;

    private FirstToken(string dataFolder, bool wasThere) => (this.dataFolder, this.wasThere) = (dataFolder, wasThere);

    /// <summary>Before the start, which makes the file.</summary>
    public static FirstToken In(string dataFolder) => new(dataFolder, File.Exists(AdminToken.PathIn(dataFolder)));

    public async Task TellAsync()
    {
        var path = AdminToken.PathIn(dataFolder);
        var token = wasThere ? null : Tokens.OfFolder(dataFolder);
        await Console.Error.WriteLineAsync(token is null
            ? $"hexcast: sign in with the admin token in {path}"
            : $"hexcast: sign in with the admin token {token} (shown this once; it is kept in {path})");
    }
}
