using System.Net;
using Hexcast.Platform.Errors;

namespace Hexcast.Platform.Cluster;

/// <summary>A join token for a person, and when it ends.</summary>
public sealed record MadeToken(string Text, DateTimeOffset Expires);

/// <summary>What the command line does with identities.</summary>
/// <remarks>Every method throws <see cref="HexcastException"/> with words for the person.</remarks>
public static class Enrol
{
    /// <summary>Makes a cluster, and this data folder its first node.</summary>
    /// <param name="advertise">host:port where the others reach it; null: where it listens.</param>
    public static ClusterIdentity Found(
        string dataFolder, string node, IPEndPoint grpc, string? advertise, TimeProvider clock)
    {
        RequireReach(grpc, advertise);
        return ClusterFolder.Found(
            dataFolder, node, advertise ?? grpc.ToString(), Listen(grpc, advertise), clock.GetUtcNow());
    }

    /// <summary>A token that the node of this folder lets others in by, from now on.</summary>
    /// <param name="addresses">host:port where it is shown; none: the node's own.</param>
    public static MadeToken Token(
        string dataFolder, TimeSpan time, int uses, IReadOnlyList<string> addresses, TimeProvider clock)
    {
        var identity = ClusterIdentity.Find(dataFolder);
        if (identity is not { Signs: true })
        {
            throw new HexcastException(
                ErrorCodes.PreconditionFailed,
                identity is null
                    ? $"{dataFolder} is of no cluster. Make one: ./hexcast cluster init --data {dataFolder}"
                    : $"{identity.Node} does not hold the cluster's key ({identity.AuthorityKeyFile}). Make tokens " +
                    "on the node that made the cluster.");
        }

        string[] at = addresses.Count > 0 ? [.. addresses] : [identity.Address];
        if (at.Length > JoinToken.AddressLimit || !at.All(JoinToken.IsAddress))
        {
            throw new HexcastException(
                ErrorCodes.InvalidArgument, $"--at: give up to {JoinToken.AddressLimit} times host:port.");
        }

        var now = clock.GetUtcNow();
        using var authority = ClusterAuthority.Load(identity);
        var token = JoinToken.New(at, ClusterAuthority.Fingerprint(authority.Certificate));
        new JoinTokens(identity.TokensFolder).Add(token, now + time, uses, now);
        return new MadeToken(token.Text(), now + time);
    }

    /// <summary>Makes this data folder a node of the token's cluster.</summary>
    /// <param name="advertise">host:port where the others reach it; null: where it listens.</param>
    public static async Task<ClusterIdentity> JoinAsync(
        string dataFolder, string token, string node, IPEndPoint grpc, string? advertise, TimeProvider clock,
        CancellationToken cancel)
    {
        RequireReach(grpc, advertise);
        if (JoinToken.Parse(token) is { } cluster && IsHere(advertise ?? grpc.ToString())
            && !cluster.Addresses.All(IsHere))
        {
            throw new HexcastException(
                ErrorCodes.InvalidArgument,
                $"--grpc {grpc}: the cluster's nodes are on other machines and cannot reach this one there. Give an " +
                "address of this machine that they reach: --grpc ADDRESS:PORT.");
        }

        return JoinToken.Parse(token) is { } parsed
            ? await ClusterJoin.RunAsync(
                dataFolder, parsed, node, advertise ?? grpc.ToString(), Listen(grpc, advertise), clock, cancel)
            : throw new HexcastException(
                ErrorCodes.JoinTokenInvalid,
                "That is no join token, or not all of one. Copy the whole line that cluster token has printed.");
    }

    /// <summary>Whether an address is reached from this machine only.</summary>
    /// <param name="address">host:port.</param>
    public static bool IsHere(string address) =>
        Uri.TryCreate($"tcp://{address}", UriKind.Absolute, out var uri) && uri.IsLoopback;

    private static string? Listen(IPEndPoint grpc, string? advertise) =>
        advertise is null || advertise == grpc.ToString() ? null : grpc.ToString();

    private static void RequireReach(IPEndPoint grpc, string? advertise)
    {
        if (advertise is null && (grpc.Address.Equals(IPAddress.Any) || grpc.Address.Equals(IPAddress.IPv6Any)))
        {
            throw new HexcastException(
                ErrorCodes.InvalidArgument,
                $"--grpc {grpc}: the other nodes reach this one there. Give its address, or say with --advertise " +
                "where they reach it.");
        }
    }
}
