using System.Security.Cryptography;
using System.Text.Json;
using Hexcast.Platform.Errors;

namespace Hexcast.Platform.Cluster;

/// <summary>A node that a token let in.</summary>
internal sealed record TokenUse(string Node, string Key);

/// <summary>A token as its node keeps it: without its secret.</summary>
/// <param name="Hash">SHA-256 of the secret.</param>
/// <param name="Uses">Nodes that it may let in.</param>
internal sealed record StoredToken(string Id, byte[] Hash, DateTimeOffset Expires, int Uses, TokenUse[] Used);

/// <summary>
/// The join tokens of a node that signs, a file each: the command line makes them, the running node, which alone uses
/// them, writes down whom each has let in before it answers.
/// </summary>
internal sealed class JoinTokens(string folder)
{
    /// <summary>Tokens that may be kept; those that are over make room first.</summary>
    private const int Limit = 1_000;

    private const int FileLimitBytes = 256 * 1024;

    private static readonly TimeSpan KeptAfterEnd = TimeSpan.FromDays(7);

    /// <summary>Compared with where there is no token of that id; no secret has this hash.</summary>
    private static readonly StoredToken Nobody = new("", new byte[SHA256.HashSizeInBytes], default, 0, []);

    /// <exception cref="HexcastException">There are too many.</exception>
    public void Add(JoinToken token, DateTimeOffset expires, int uses, DateTimeOffset now)
    {
        ClusterFolder.CreatePrivate(folder);
        foreach (var file in Directory.GetFiles(folder, "*.json"))
        {
            if (Read(file) is not { } stored || stored.Expires + KeptAfterEnd < now)
            {
                File.Delete(file);
            }
        }

        if (Directory.GetFiles(folder, "*.json").Length >= Limit)
        {
            throw new HexcastException(
                ErrorCodes.ResourceExhausted, $"{Limit} join tokens are there. Remove files in {folder}.");
        }

        Write(new StoredToken(token.Id, SHA256.HashData(token.Secret), expires, uses, []));
    }

    /// <summary>
    /// The token, if it lets this node in. The same key comes in again by the same use: its answer may have been lost.
    /// </summary>
    /// <exception cref="HexcastException">It does not; only who has the secret learns why.</exception>
    public StoredToken Require(string id, ReadOnlySpan<byte> secret, TokenUse by, DateTimeOffset now)
    {
        var stored = (JoinToken.IsId(id) ? Read(PathOf(id)) : null) ?? Nobody;
        if (!CryptographicOperations.FixedTimeEquals(SHA256.HashData(secret), stored.Hash))
        {
            throw new HexcastException(
                ErrorCodes.JoinTokenInvalid,
                "There is no such join token. Make one on a node that may sign: ./hexcast cluster token");
        }

        if (stored.Expires <= now)
        {
            throw new HexcastException(
                ErrorCodes.JoinTokenExpired,
                "The join token's time is over. Make another: ./hexcast cluster token");
        }

        return stored.Used.Length < stored.Uses || stored.Used.Contains(by) ? stored : throw new HexcastException(
            ErrorCodes.JoinTokenUsed,
            "The join token was used already. Make one for each node: ./hexcast cluster token");
    }

    /// <summary>Written down before the node hears that it is in.</summary>
    public void NoteUse(StoredToken token, TokenUse by)
    {
        if (!token.Used.Contains(by))
        {
            Write(token with { Used = [.. token.Used, by] });
        }
    }

    private string PathOf(string id) => Path.Combine(folder, $"{id}.json");

    private void Write(StoredToken token) =>
        SmallFile.WriteSecret(PathOf(token.Id), JsonSerializer.SerializeToUtf8Bytes(token));

    private static StoredToken? Read(string path)
    {
        try
        {
            var token = JsonSerializer.Deserialize<StoredToken>(SmallFile.Read(path, FileLimitBytes));
            return token is { Hash.Length: SHA256.HashSizeInBytes, Used: not null } ? token : null;
        }
        catch (Exception absent) when (absent is IOException or JsonException)
        {
            return null;
        }
    }
}
