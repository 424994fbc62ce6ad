using System.Net;
using System.Threading.Channels;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hexcast.Drills.Power;

/// <summary>
/// Asks a member for its vote, as a member of the group would whose log is longer than all others. What it is promised
/// must outlive a power loss: the same term's vote is then for nobody else.
/// </summary>
internal sealed class Candidate : IAsyncDisposable
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromMinutes(1);

    private readonly Channel<RaftMessage> answers = Channel.CreateUnbounded<RaftMessage>();
    private readonly WebApplication app;
    private readonly int port;
    private readonly ulong id;
    private readonly ulong group;

    private Candidate(int port, ulong id, ulong group)
    {
        (this.port, this.id, this.group) = (port, id, group);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(answers.Writer);
        app = builder.Build();
        app.MapGrpcService<Ear>();
    }

    /// <param name="port">Where it hears the answers. An answer does not say whom it is for: no other one hears them
    /// there.</param>
    /// <param name="id">Its own, of no member.</param>
    /// <param name="group">As its members call it: they take messages of no other one.</param>
    public static async Task<Candidate> StartAsync(int port, ulong id, ulong group)
    {
        var candidate = new Candidate(port, id, group);
        await candidate.app.StartAsync();
        return candidate;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    /// <summary>The member's answer to the question for its vote in that term, or a later term that it is in.</summary>
    public async Task<RaftMessage> AskAsync(string address, ulong term)
    {
        while (answers.Reader.TryRead(out _))
        {
        }

        var clock = TimeProvider.System;
        using var limit = new CancellationTokenSource(AnswerTime, clock);
        using var channel = GrpcChannel.ForAddress($"http://{address}");
        var client = new Contracts.V1.Raft.RaftClient(channel.CreateCallInvoker());
        while (true)
        {
            using var say = client.Say(
                new Metadata
                {
                    { "hexcast-cluster", "hexcast" },
                    { "hexcast-member", id.ToString("x16") },
                    { "hexcast-address", $"localhost:{port}" },
                    { "hexcast-group", group.ToString("x16") },
                },
                cancellationToken: limit.Token);
            try
            {
                // A transfer: who hears a leader refuses everybody else.
                await say.RequestStream.WriteAsync(new RaftMessage
                {
                    From = id,
                    Term = term,
                    VoteRequest = new RaftMessage.Types.VoteRequest
                    {
                        LastIndex = long.MaxValue, LastTerm = term, IsTransfer = true,
                    },
                });
                using var soon = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
                soon.CancelAfter(AskAgain);
                while (true)
                {
                    var answer = await answers.Reader.ReadAsync(soon.Token);
                    if (answer.VoteResponse is { IsPre: false })
                    {
                        return answer;
                    }
                }
            }
            catch (Exception early) when (early is RpcException or OperationCanceledException or IOException
                or InvalidOperationException)
            {
                if (limit.IsCancellationRequested)
                {
                    var refusal = say.ResponseAsync.IsFaulted ? say.GetStatus().ToString() : "silence";
                    throw new TimeoutException($"{address} gives no answer: {refusal}", early);
                }

                // Its line back here is opened by the first message, and what was said before is lost.
                await Task.Delay(AskAgain / 10, clock);
            }
        }
    }

    private sealed class Ear(ChannelWriter<RaftMessage> heard) : Contracts.V1.Raft.RaftBase
    {
        public override async Task<SayResponse> Say(
            IAsyncStreamReader<RaftMessage> requestStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                heard.TryWrite(requestStream.Current);
            }

            return new SayResponse();
        }
    }
}
