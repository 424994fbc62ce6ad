using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Hexcast.App.Tests;

/// <summary>An HTTP server on loopback that speaks the API as a test lays it down, lost connections too.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    private readonly IHost host;

    private ApiServer(IHost host, Uri address) => (this.host, Address) = (host, address);

    public Uri Address { get; }

    public static async Task<ApiServer> StartAsync(Action<IEndpointRouteBuilder> map)
    {
        var built = new HostBuilder().ConfigureWebHost(web => web
            .UseKestrelCore()
            .ConfigureServices(services => services.AddRouting())
            .ConfigureKestrel(kestrel =>
            {
                kestrel.Limits.MaxRequestBodySize = null;
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            })
            .Configure(app =>
            {
                app.UseRouting();
                app.UseEndpoints(map);
            })).Build();
        await built.StartAsync(TestContext.Current.CancellationToken);
        var addresses = built.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()
            .Features.Get<Microsoft.AspNetCore.Hosting.Server.Features.IServerAddressesFeature>()!;
        return new ApiServer(built, new Uri(addresses.Addresses.Single()));
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync(TestContext.Current.CancellationToken);
        host.Dispose();
    }
}

/// <summary>The server's side of one tus upload, which cuts the connection where it is told to.</summary>
internal sealed class TusEndpoint(params long[] cutAfterBytes)
{
    private readonly Queue<long> cuts = new(cutAfterBytes);
    private byte[] received = [];

    public string? Metadata { get; private set; }

    public ConcurrentQueue<long> PatchOffsets { get; } = new();

    public byte[] Received => received;

    /// <summary>Loses the answer to the PATCH that completes the upload, once.</summary>
    public bool LoseLastAnswer { get; set; }

    public void Map(IEndpointRouteBuilder http)
    {
        http.MapPost("/v1/uploads", (HttpContext context) =>
        {
            Metadata = context.Request.Headers["Upload-Metadata"];
            context.Response.Headers.Location = "/v1/uploads/media1";
            return Results.StatusCode(201);
        });
        http.MapMethods("/v1/uploads/{id}", ["HEAD"], (HttpContext context) =>
        {
            context.Response.Headers["Upload-Offset"] = $"{received.Length}";
            return Results.Ok();
        });
        http.MapPatch("/v1/uploads/{id}", PatchAsync);
    }

    private async Task PatchAsync(HttpContext context)
    {
        var offset = long.Parse(context.Request.Headers["Upload-Offset"]!);
        PatchOffsets.Enqueue(offset);
        if (offset != received.Length)
        {
            context.Response.StatusCode = 409;
            return;
        }

        var left = cuts.TryDequeue(out var cut) ? cut : long.MaxValue;
        var buffer = new byte[65536];
        while (left > 0)
        {
            var piece = buffer.AsMemory(0, (int)Math.Min(left, buffer.Length));
            var read = await context.Request.Body.ReadAsync(piece, context.RequestAborted);
            if (read == 0)
            {
                break;
            }

            received = [.. received, .. buffer.AsSpan(0, read)];
            left -= read;
        }

        if (left == 0 || LoseLastAnswer)
        {
            LoseLastAnswer = LoseLastAnswer && left == 0;
            context.Abort();
            return;
        }

        context.Response.StatusCode = 204;
        context.Response.Headers["Upload-Offset"] = $"{received.Length}";
    }
}
