using System.Net;
using Grpc.Core;

namespace Grpc.Net.Client.Balancer;

/// <summary>One server that calls can go to.</summary>
public sealed class BalancerAddress(DnsEndPoint endPoint)
{
    public BalancerAddress(string host, int port)
        : this(new DnsEndPoint(host, port))
    {
    }

    public DnsEndPoint EndPoint { get; } = endPoint;
}

/// <summary>The addresses that there are now, or why there are none.</summary>
public sealed class ResolverResult
{
    ResolverResult(Status status, IReadOnlyList<BalancerAddress> addresses)
    {
        Status = status;
        Addresses = addresses;
    }

    public Status Status { get; }

    public IReadOnlyList<BalancerAddress> Addresses { get; }

    public static ResolverResult ForResult(IReadOnlyList<BalancerAddress> addresses) =>
        new(Status.DefaultSuccess, addresses);

    public static ResolverResult ForFailure(Status status) => new(status, []);
}

/// <summary>Finds the addresses behind a name, and says when they change.</summary>
public abstract class Resolver : IDisposable
{
    /// <param name="listener">Told each result, from any thread.</param>
    public abstract void Start(Action<ResolverResult> listener);

    /// <summary>A connection was lost: the addresses may be others now. Must return at once.</summary>
    public virtual void Refresh()
    {
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}

public sealed class ResolverOptions(Uri address, int defaultPort)
{
    public Uri Address { get; } = address;

    /// <summary>For names without a port.</summary>
    public int DefaultPort { get; } = defaultPort;

    internal TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>Makes resolvers for addresses of one scheme.</summary>
public abstract class ResolverFactory
{
    /// <summary>The scheme.</summary>
    public abstract string Name { get; }

    public abstract Resolver Create(ResolverOptions options);
}

/// <summary><c>static:///name</c>: addresses that are known.</summary>
public sealed class StaticResolverFactory(Func<Uri, IEnumerable<BalancerAddress>> addressesCallback) : ResolverFactory
{
    public override string Name => "static";

    public override Resolver Create(ResolverOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new KnownAddresses([.. addressesCallback(options.Address)]);
    }
}

sealed class KnownAddresses(IReadOnlyList<BalancerAddress> addresses) : Resolver
{
    public override void Start(Action<ResolverResult> listener) => listener(ResolverResult.ForResult(addresses));
}
