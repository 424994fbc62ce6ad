using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Hexcast.Grpc.Tests.Hostile;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hexcast.Grpc.Tests;

/// <summary>Clients may send big messages in big frames, which costs both sides less.</summary>
public sealed class LargeFrameTests
{
    [Fact]
    public async Task Message_of_200_kb_is_taken_in_one_frame()
    {
        var received = new TaskCompletionSource<int>();
        await using var host = await ProbeHost.StartAsync(Wiring.Tcp, new ProbeHandlers
        {
            Unary = (request, _) =>
            {
                received.SetResult(request.Data.Length);
                return Task.FromResult(new ProbeReply());
            },
        });
        var message = Raw.Frame(new ProbeRequest { Data = ByteString.CopyFrom(new byte[200_000]) });
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, host.Address.Port);

        foreach (var frame in Http2Bytes.Call("/hexcast.probe.Probe/Unary", message))
            await client.Client.SendAsync(frame);

        (await received.Task.Within()).ShouldBe(200_000);
    }

    [Fact]
    public async Task Frame_size_that_the_application_sets_stays()
    {
        await using var host = await ProbeHost.StartAsync(
            Wiring.Tcp, new ProbeHandlers(), services: services => services.Configure<KestrelServerOptions>(
                kestrel => kestrel.Limits.Http2.MaxFrameSize = 32_768));

        host.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits.Http2.MaxFrameSize
            .ShouldBe(32_768);
    }
}
