using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Wire;

namespace Hexcast.Grpc.Tests;

/// <summary>The pieces of the wire format by themselves.</summary>
public sealed class WireTests
{
    [Theory]
    [InlineData(0, "1u")]
    [InlineData(1, "1u")]
    [InlineData(10, "1u")]
    [InlineData(11, "2u")]
    [InlineData(TimeSpan.TicksPerSecond, "1000000u")]
    [InlineData(100 * TimeSpan.TicksPerSecond, "100000m")]
    [InlineData(40 * TimeSpan.TicksPerDay, "3456000S")]
    [InlineData(long.MaxValue, "99999999H")]
    public void Timeout_is_sent_in_the_finest_unit_that_fits_rounded_up(long ticks, string expected) =>
        GrpcTimeout.Format(new TimeSpan(ticks)).ShouldBe(expected);

    [Theory]
    [InlineData("1H", 3600)]
    [InlineData("2M", 120)]
    [InlineData("3S", 3)]
    [InlineData("4000m", 4)]
    [InlineData("5000000u", 5)]
    [InlineData("60000000n", 0.06)]
    public void Timeout_is_read_in_every_unit(string text, double seconds)
    {
        GrpcTimeout.TryParse(text, out var timeout).ShouldBeTrue();
        timeout.TotalSeconds.ShouldBe(seconds);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1x")]
    [InlineData("+1S")]
    [InlineData(" 1S")]
    [InlineData("1.5S")]
    [InlineData("123456789S")]
    public void Timeout_of_any_other_form_is_refused(string? text) =>
        GrpcTimeout.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Status_words_survive_the_wire_whatever_they_are()
    {
        var random = new Random(7);
        for (var i = 0; i < 1000; i++)
        {
            var words = new string(Enumerable.Range(0, random.Next(40))
                .Select(_ => (char)(random.Next(3) == 0 ? random.Next(0x20, 0x7f) : random.Next(1, 0xd800)))
                .ToArray());
            var encoded = StatusMessage.Encode(words);
            encoded.ShouldAllBe(c => c >= ' ' && c <= '~');
            StatusMessage.Decode(encoded).ShouldBe(words);
        }
    }

    [Theory]
    [InlineData("100%", "100%")]
    [InlineData("%zz%2", "%zz%2")]
    [InlineData("%41%", "A%")]
    [InlineData("raw ö", "raw ö")]
    [InlineData("%ff", "\uFFFD")]
    public void Status_words_that_are_encoded_badly_are_still_words(string encoded, string expected) =>
        StatusMessage.Decode(encoded).ShouldBe(expected);

    [Fact]
    public void Binary_metadata_is_read_with_and_without_padding_and_from_a_list()
    {
        var metadata = new Metadata();
        MetadataCodec.Read("a-bin", "AQ==", metadata);
        MetadataCodec.Read("a-bin", "AQ", metadata);
        MetadataCodec.Read("a-bin", "AQID, AQI", metadata);

        metadata.Select(entry => Convert.ToHexString(entry.ValueBytes)).ShouldBe(["01", "01", "010203", "0102"]);
        Should.Throw<FormatException>(() => MetadataCodec.Read("a-bin", "AQIDB", metadata));
    }

    [Fact]
    public void Metadata_checks_keys_and_kinds_of_values()
    {
        var metadata = new Metadata { { "UPPER", "x" } };

        metadata.Single().Key.ShouldBe("upper");
        metadata.GetValue("Upper").ShouldBe("x");
        Should.Throw<ArgumentException>(() => metadata.Add("no spaces", "x"));
        Should.Throw<ArgumentException>(() => metadata.Add("text-bin", "x"));
        Should.Throw<ArgumentException>(() => metadata.Add("bytes", [1]));
        Should.Throw<InvalidOperationException>(() => Metadata.Empty.Add("a", "b"));
    }

    [Theory]
    [InlineData("application/grpc", true)]
    [InlineData("application/grpc+proto", true)]
    [InlineData("Application/GRPC; charset=utf-8", true)]
    [InlineData("application/grpc-web", false)]
    [InlineData("application/grpcx", false)]
    [InlineData("text/plain", false)]
    [InlineData(null, false)]
    public void Content_type_tells_grpc_from_all_else(string? contentType, bool expected) =>
        GrpcHeaders.IsGrpcContentType(contentType).ShouldBe(expected);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(4096)]
    public async Task Frames_are_read_whatever_pieces_they_come_in(int pieceBytes)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new FrameWriter(null);
        string[] messages = ["", "a", new('b', 300), "", new('c', 10_000)];
        foreach (var message in messages)
            writer.Write(message, Marshallers.StringMarshaller.ContextualSerializer, output);

        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        foreach (var piece in output.WrittenMemory.ToArray().Chunk(pieceBytes))
            await pipe.Writer.WriteAsync(piece);
        await pipe.Writer.CompleteAsync();
        var reader = new FrameReader(pipe.Reader, null);
        var read = new List<string>();
        while (await reader.ReadAsync(Marshallers.StringMarshaller.ContextualDeserializer, default) is { } message)
            read.Add(message);

        read.ShouldBe(messages);
    }

    [Fact]
    public async Task Random_bytes_are_a_message_an_end_or_a_clear_error()
    {
        var random = new Random(11);
        for (var i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.Next(40)];
            random.NextBytes(bytes);
            if (bytes.Length > 4 && random.Next(2) == 0)
                bytes.AsSpan(0, 4).Clear();
            var pipe = new Pipe();
            await pipe.Writer.WriteAsync(bytes);
            await pipe.Writer.CompleteAsync();
            var reader = new FrameReader(pipe.Reader, 1000);

            var error = await Record.ExceptionAsync(async () =>
            {
                while (await reader.ReadAsync(
                    context => ProbeRequest.Parser.ParseFrom(context.PayloadAsReadOnlySequence()), default) is not null)
                {
                }
            });

            if (error is not null)
                error.ShouldBeOfType<RpcException>();
        }
    }

    [Fact]
    public void Serializer_that_breaks_its_word_is_caught()
    {
        var output = new ArrayBufferWriter<byte>();

        Write((_, context) => { });
        Write((_, context) =>
        {
            context.SetPayloadLength(3);
            context.GetBufferWriter().Write("ab"u8);
            context.Complete();
        });
        Write((_, context) =>
        {
            context.SetPayloadLength(1);
            context.GetBufferWriter().Write("ab"u8);
            context.Complete();
        });
        Write((_, context) =>
        {
            context.Complete([1]);
            context.Complete();
        });
        Write((_, context) =>
        {
            context.Complete([1]);
            context.SetPayloadLength(1);
        });

        void Write(Action<string, SerializationContext> serializer) => Should.Throw<InvalidOperationException>(
            () => new FrameWriter(null).Write("", serializer, output));
    }

    [Fact]
    public void Serializer_that_mixes_its_ways_to_write_is_refused_before_anything_follows()
    {
        Refuse("", (_, context) =>
        {
            context.GetBufferWriter();
            context.SetPayloadLength(1);
        });
        Refuse("", (_, context) =>
        {
            context.GetBufferWriter().Write("a"u8);
            context.Complete([1]);
        });
        Refuse("0000000001", (_, context) =>
        {
            context.SetPayloadLength(1);
            context.Complete([1]);
        });

        static void Refuse(string written, Action<string, SerializationContext> serializer)
        {
            var output = new ArrayBufferWriter<byte>();
            var writer = new FrameWriter(null);
            Should.Throw<InvalidOperationException>(() => writer.Write("", serializer, output));
            Convert.ToHexString(output.WrittenSpan).ShouldBe(written);
            writer.IsBroken.ShouldBe(written.Length > 0);
        }
    }

    [Fact]
    public void Serializer_may_write_without_saying_the_length_first()
    {
        var output = new ArrayBufferWriter<byte>();

        new FrameWriter(null).Write("", (_, context) =>
        {
            context.GetBufferWriter().Write("abc"u8);
            context.Complete();
        }, output);

        Convert.ToHexString(output.WrittenSpan).ShouldBe("0000000003616263");
    }
}
