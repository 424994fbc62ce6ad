using System.Net;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using IPNetwork = System.Net.IPNetwork;

namespace Hexcast.Platform.Access;

/// <summary>
/// Whom a request really comes from: what a named proxy says in X-Forwarded-For and -Proto, and nobody else. Where the
/// node listens beyond this machine only for the sake of its proxies, whoever comes past them is turned away.
/// </summary>
internal sealed class ForwardedClients
{
    private readonly IPNetwork[] proxies;
    private readonly bool proxiesOnly;

    public ForwardedClients(AccessOptions options, NodeSettings node, bool tls)
    {
        proxies = [.. options.TrustedProxies.Select(NetworkOf)];
        proxiesOnly = proxies.Length > 0 && !tls && !options.AllowPlainHttp && !IPAddress.IsLoopback(node.Http.Address);
    }

    public static void Use(IApplicationBuilder app)
    {
        var services = app.ApplicationServices;
        var clients = new ForwardedClients(
            services.GetRequiredService<AccessOptions>(),
            services.GetRequiredService<NodeSettings>(),
            services.GetRequiredService<TlsOptions>().IsOn());
        if (clients.proxies.Length == 0)
        {
            return;
        }

        app.Use(clients.RequireProxyAsync);
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
            // As many as there are, from the right, while each hop is named.
            ForwardLimit = null,
        };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        Array.ForEach(clients.proxies, forwarded.KnownIPNetworks.Add);
        app.UseForwardedHeaders(forwarded);
    }

    public bool Admits(IPAddress? from) =>
        !proxiesOnly || (from is not null && (IPAddress.IsLoopback(from) || proxies.Any(p => p.Contains(Plain(from)))));

    private Task RequireProxyAsync(HttpContext context, RequestDelegate next) =>
        Admits(context.Connection.RemoteIpAddress)
            ? next(context)
            : ProblemResponses.WriteProblemAsync(
                context,
                ErrorCodes.ProxyRequired,
                "This address is for the reverse proxy only: it is not encrypted. Use the proxy's address.");

    private static IPAddress Plain(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static IPNetwork NetworkOf(string text)
    {
        if (IPNetwork.TryParse(text, out var network))
        {
            return network;
        }

        var address = IPAddress.Parse(text);
        return new IPNetwork(address, address.GetAddressBytes().Length * 8);
    }
}
