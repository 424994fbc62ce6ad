using System.Text;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Access.Credentials;

/// <summary>
/// The node's own admin token, in a file that only its user can read. The first start makes it; so does a start that
/// finds none, and then the one before is worth nothing any more: that is the way back in.
/// </summary>
internal sealed class AdminTokenFile(CredentialStore store, NodeSettings node, TimeProvider clock) : IHostedService
{
    private const int FileLimitBytes = 256;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var secret = Open(AdminToken.PathIn(node.DataFolder));
        var former = store.All<AccessToken>()
            .Where(token => token.FileOfNode == node.NodeId && token.Id != secret.Id).ToList();
        var records = former.ToDictionary(
            token => CredentialKeys.Token(token.Id), _ => (IMessage?)null, StringComparer.Ordinal);
        if (await store.FindAsync<AccessToken>(CredentialKeys.Token(secret.Id), cancellationToken) is null)
        {
            records[CredentialKeys.Token(secret.Id)] = new AccessToken
            {
                Id = secret.Id,
                Name = $"{AdminToken.FileName} of {node.NodeId}",
                Scopes = { Scope.Admin.Name() },
                SecretSha256 = ByteString.CopyFrom(secret.Hash),
                CreatedAtUnixMs = clock.GetUtcNow().ToUnixTimeMilliseconds(),
                FileOfNode = node.NodeId,
            };
        }

        if (records.Count > 0)
        {
            await store.WriteAsync(
                Array.Empty<Compare>(),
                records,
                cancellationToken,
                [.. former.Select(token => CredentialKeys.Sessions(token.Id))]);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <exception cref="AdminTokenException">The file cannot be used.</exception>
    public static Secret Open(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                Create(path);
            }

            if ((File.GetUnixFileMode(path) & ~OwnerOnly) != UnixFileMode.None)
            {
                throw new AdminTokenException($"{path} can be read by others. Run: chmod 600 {path}");
            }

            return new FileInfo(path).Length <= FileLimitBytes
                && Secret.TryParseToken(File.ReadAllText(path).Trim(), out var secret)
                ? secret
                : throw new AdminTokenException(
                    $"{path} holds no token. Restore it, or remove it: the next start makes a new one.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new AdminTokenException($"{path} cannot be used: {failure.Message}", failure);
        }
    }

    // Whole or not at all: written under another name, synced, then linked to its own.
    private static void Create(string path)
    {
        var secret = Secret.NewToken();
        var temporary = $"{path}.{secret.Id}.new";
        var create = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly,
        };
        using (var file = new FileStream(temporary, create))
        {
            file.Write(Encoding.ASCII.GetBytes(secret.Text + "\n"));
            DurableFiles.Sync(file);
        }

        File.Move(temporary, path, overwrite: false);
        DurableFiles.SyncDirectory(Path.GetDirectoryName(path)!);
    }
}

/// <summary>The admin token's file cannot be used; the message says what to do.</summary>
internal sealed class AdminTokenException(string message, Exception? inner = null)
    : NodeFailureException(message, inner);
