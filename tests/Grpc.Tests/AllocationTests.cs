using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Wire;

namespace Hexcast.Grpc.Tests;

/// <summary>What a streamed message costs in memory besides the message itself, both sides together.</summary>
[Collection(nameof(Alone))]
public sealed class AllocationTests
{
    const int Messages = 50_000;
    const int MessageBytes = 100;

    /// <summary>
    /// Of Kestrel's and HttpClient's own, whenever one of their buffers is full or empty: a few bytes a message on the
    /// average. One task or closure of ours for each message would be more.
    /// </summary>
    const double MaxBytesBesides = 40;

    static readonly ByteString Data = ByteString.CopyFrom(new byte[MessageBytes]);

    [Theory]
    [InlineData(Wiring.Tcp)]
    [InlineData(Wiring.Tls)]
    [InlineData(Wiring.InMemory)]
    internal async Task Message_to_the_client_costs_what_parsing_it_costs(Wiring wiring)
    {
        var reply = new ProbeReply { Data = Data };
        await using var host = await ProbeHost.StartAsync(wiring, new ProbeHandlers
        {
            Download = async (_, responses, _) =>
            {
                for (var i = 0; i < 2 * Messages; i++)
                    await responses.WriteAsync(reply);
            },
        });
        using var call = host.Client.Download(new ProbeRequest());
        var meter = new Meter();

        while (await call.ResponseStream.MoveNext())
            meter.Count();

        meter.BytesAMessage.ShouldBeLessThan(Parsing(ProbeReply.Parser, reply) + MaxBytesBesides);
    }

    [Theory]
    [InlineData(Wiring.Tcp)]
    [InlineData(Wiring.Tls)]
    [InlineData(Wiring.InMemory)]
    internal async Task Message_to_the_server_costs_what_parsing_it_costs(Wiring wiring)
    {
        var request = new ProbeRequest { Data = Data };
        var meter = new Meter();
        await using var host = await ProbeHost.StartAsync(wiring, new ProbeHandlers
        {
            Upload = async (requests, _) =>
            {
                while (await requests.MoveNext())
                    meter.Count();
                return new ProbeReply();
            },
        });
        using var call = host.Client.Upload();

        for (var i = 0; i < 2 * Messages; i++)
            await call.RequestStream.WriteAsync(request);
        await call.RequestStream.CompleteAsync();
        await call.ResponseAsync.Within();

        meter.BytesAMessage.ShouldBeLessThan(Parsing(ProbeRequest.Parser, request) + MaxBytesBesides);
    }

    [Fact]
    public async Task Waiting_for_a_message_costs_nothing()
    {
        var pipe = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline));
        var reader = new FrameReader(pipe.Reader, null);
        var frame = Raw.Frame(new ProbeReply { Data = Data });
        var message = new ProbeReply();
        Func<DeserializationContext, ProbeReply> deserializer = _ => message;

        var waited = 0;

        async ValueTask<long> RunAsync()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Messages; i++)
            {
                var read = reader.ReadAsync(deserializer, CancellationToken.None);
                waited += read.IsCompleted ? 0 : 1;
                await pipe.Writer.WriteAsync(frame);
                await read;
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        await RunAsync();
        ((double)await RunAsync() / Messages).ShouldBeLessThan(1);
        waited.ShouldBe(2 * Messages);
    }

    static long Parsing<T>(MessageParser<T> parser, T message)
        where T : IMessage<T>
    {
        var bytes = message.ToByteArray();
        var before = 0L;
        for (var i = 0; i < 2 * Messages; i++)
        {
            // The first half warms up: code that is not yet optimized allocates more.
            before = i == Messages ? GC.GetAllocatedBytesForCurrentThread() : before;
            parser.ParseFrom(bytes);
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / Messages;
    }

    /// <summary>Measures the second half of the messages; the first warms up.</summary>
    sealed class Meter
    {
        int _count;
        long _before;
        long _after;

        public double BytesAMessage => (double)(_after - _before) / Messages;

        public void Count()
        {
            _count++;
            if (_count == Messages)
                _before = GC.GetTotalAllocatedBytes(precise: true);
            else if (_count == 2 * Messages)
                _after = GC.GetTotalAllocatedBytes(precise: true);
        }
    }
}
