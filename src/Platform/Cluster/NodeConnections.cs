using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Hexcast.Platform.Access;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Hexcast.Platform.Cluster;

/// <summary>Whose connection it is.</summary>
/// <param name="Node">Null: a stranger's.</param>
internal sealed record ConnectedPeer(string? Node);

/// <summary>
/// Connections of nodes end when their node is removed. Those of strangers, who may ask to join and nothing else, are
/// few and short.
/// </summary>
internal sealed class NodeConnections : IDisposable
{
    /// <summary>Strangers at once, in all and from one address.</summary>
    private const int StrangerLimit = 64, StrangersOfOne = 16;

    private static readonly TimeSpan StrangerTime = TimeSpan.FromSeconds(20);

    private readonly NodeCertificate certificate;
    private readonly TimeProvider clock;
    private readonly ConcurrentDictionary<ConnectionContext, string> nodes = new();
    private readonly Lock turn = new();
    private readonly Dictionary<string, int> strangers = new(StringComparer.Ordinal);

    public NodeConnections(NodeCertificate certificate, TimeProvider clock)
    {
        (this.certificate, this.clock) = (certificate, clock);
        certificate.Removed.Changed += EndRemoved;
    }

    public void Dispose() => certificate.Removed.Changed -= EndRemoved;

    /// <summary>Behind TLS, which has checked the certificate where there is one.</summary>
    public Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var shown = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        var node = shown is null ? null : certificate.NameOf(shown);
        connection.Features.Set(new ConnectedPeer(node));
        return node is null ? RunStrangerAsync(connection, next) : RunNodeAsync(connection, node, next);
    }

    /// <summary>In front of all that the port serves: a stranger gets to what lets strangers in.</summary>
    public static Task PassAsync(HttpContext context, RequestDelegate next)
    {
        // In process there is no connection of anybody else's.
        if (context.Features.Get<ConnectedPeer>() is not { Node: null })
        {
            return next(context);
        }

        if (EnrolmentService.IsForStrangers(context.Request.Path))
        {
            return next(context);
        }

        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = $"{(int)StatusCode.Unauthenticated}";
        context.Response.Headers["grpc-message"] =
            "This port is for nodes of the cluster, by their certificates. See ./hexcast cluster join --help";
        return Task.CompletedTask;
    }

    private async Task RunNodeAsync(ConnectionContext connection, string node, ConnectionDelegate next)
    {
        nodes.TryAdd(connection, node);
        try
        {
            // It may have been removed between the handshake and here.
            if (!certificate.Removed.Contains(node))
            {
                await next(connection);
            }
        }
        finally
        {
            nodes.TryRemove(connection, out _);
        }
    }

    private async Task RunStrangerAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var source = AttemptLimiter.Source((connection.RemoteEndPoint as IPEndPoint)?.Address);
        if (!TryEnter(source))
        {
            return;
        }

        try
        {
            await using var end = clock.CreateTimer(
                _ => connection.Abort(new ConnectionAbortedException("A stranger's time is over.")),
                null, StrangerTime, Timeout.InfiniteTimeSpan);
            await next(connection);
        }
        finally
        {
            Leave(source);
        }
    }

    private bool TryEnter(string source)
    {
        lock (turn)
        {
            var own = strangers.GetValueOrDefault(source);
            if (own >= StrangersOfOne || strangers.Values.Sum() >= StrangerLimit)
            {
                return false;
            }

            strangers[source] = own + 1;
            return true;
        }
    }

    private void Leave(string source)
    {
        lock (turn)
        {
            if (--strangers[source] == 0)
            {
                strangers.Remove(source);
            }
        }
    }

    private void EndRemoved(IReadOnlySet<string> removed)
    {
        foreach (var (connection, node) in nodes)
        {
            if (removed.Contains(node))
            {
                connection.Abort(new ConnectionAbortedException($"{node} was removed from the cluster."));
            }
        }
    }
}
