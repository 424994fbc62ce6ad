using System.Net;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Cluster;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Hexcast.Platform.Tests.Cluster;

/// <summary>A server that answers with somebody else's CA and writes down what it was asked.</summary>
internal sealed class ThiefAuthority(byte[] shown)
{
    private readonly List<string> asked = [];

    public IReadOnlyList<string> Asked => asked;

    public async Task<Running> StartAsync(ClusterIdentity own)
    {
        var port = TestCluster.FreePort();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(X509Certificate2.CreateFromPemFile(own.CertificateFile, own.KeyFile));
        }));
        var app = builder.Build();
        app.Run(AnswerAsync);
        await app.StartAsync();
        return new Running(app, port);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        asked.Add(context.Request.Path);
        var message = new GetAuthorityResponse { Certificate = ByteString.CopyFrom(shown) }.ToByteArray();
        context.Response.ContentType = "application/grpc";
        context.Response.DeclareTrailer("grpc-status");
        await context.Response.Body.WriteAsync(
            (byte[])[0, .. BitConverter.GetBytes(IPAddress.HostToNetworkOrder(message.Length)), .. message]);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    internal sealed class Running(WebApplication app, IPEndPoint port) : IAsyncDisposable
    {
        public string Address { get; } = port.ToString();

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
