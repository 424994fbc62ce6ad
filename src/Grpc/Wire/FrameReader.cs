using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Grpc.Wire;

/// <summary>
/// Reads length-prefixed messages from a pipe. What is wrong with the bytes ends in an <see cref="RpcException"/>; what
/// is wrong with the connection comes through as the pipe throws it. One read at a time.
/// </summary>
sealed class FrameReader(PipeReader input, int? maxMessageBytes, MessageDecompressor? decompressor = null)
{
    /// <summary>What a peer that announces much makes this side provide for before it comes.</summary>
    const int MaxAheadBytes = 256 * 1024;

    readonly Payload _payload = new();

    /// <summary>The next message, or null at the end of the stream.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<T?> ReadAsync<T>(
        Func<DeserializationContext, T> deserializer, CancellationToken cancellationToken)
        where T : class
    {
        var wantedBytes = 0;
        while (true)
        {
            var result = wantedBytes == 0
                ? await input.ReadAsync(cancellationToken)
                : await input.ReadAtLeastAsync(wantedBytes, cancellationToken);
            var consumed = result.Buffer.Start;
            var examined = result.Buffer.End;
            try
            {
                if (result.IsCanceled)
                    throw new OperationCanceledException("Reading was cancelled.");

                if (TryGetPayload(result.Buffer, out var payload, out var isCompressed, ref wantedBytes))
                {
                    consumed = examined = payload.End;
                    return Deserialize(isCompressed ? Decompress(payload) : payload, deserializer);
                }

                if (result.IsCompleted)
                {
                    if (result.Buffer.IsEmpty)
                        return null;
                    throw Error(StatusCode.Internal, "The stream ended inside a message.");
                }
            }
            finally
            {
                input.AdvanceTo(consumed, examined);
            }
        }
    }

    /// <summary>The only message of its stream, read up to the stream's end. Null where there is none.</summary>
    public async ValueTask<T?> ReadSingleAsync<T>(
        Func<DeserializationContext, T> deserializer, CancellationToken cancellationToken)
        where T : class
    {
        var message = await ReadAsync(deserializer, cancellationToken);
        if (message is null)
            return null;

        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            input.AdvanceTo(result.Buffer.End);
            if (result.IsCanceled)
                throw new OperationCanceledException("Reading was cancelled.");
            if (!result.Buffer.IsEmpty)
                throw Error(StatusCode.Internal, "More than one message came where the method takes one.");
            if (result.IsCompleted)
                return message;
        }
    }

    bool TryGetPayload(
        ReadOnlySequence<byte> buffer,
        out ReadOnlySequence<byte> payload,
        out bool isCompressed,
        ref int wantedBytes)
    {
        payload = default;
        isCompressed = false;
        if (buffer.Length < FrameWriter.PrefixBytes)
            return false;

        Span<byte> prefix = stackalloc byte[FrameWriter.PrefixBytes];
        buffer.Slice(0, FrameWriter.PrefixBytes).CopyTo(prefix);
        if (prefix[0] > 1)
            throw Error(StatusCode.Internal, "A message starts with an invalid compression flag.");
        isCompressed = prefix[0] == 1;
        if (isCompressed && decompressor is null)
            throw Error(StatusCode.Internal, "A message is compressed although no compression was agreed.");

        var payloadBytes = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        var limitBytes = maxMessageBytes ?? Array.MaxLength;
        if (payloadBytes > limitBytes)
        {
            throw Error(
                StatusCode.ResourceExhausted,
                $"A message of {payloadBytes} bytes is over the limit of {limitBytes} for receiving.");
        }

        var missingBytes = FrameWriter.PrefixBytes + payloadBytes - buffer.Length;
        if (missingBytes > 0)
        {
            wantedBytes = (int)(buffer.Length + Math.Min(missingBytes, MaxAheadBytes));
            return false;
        }

        payload = buffer.Slice(FrameWriter.PrefixBytes, payloadBytes);
        return true;
    }

    ReadOnlySequence<byte> Decompress(ReadOnlySequence<byte> payload) => new(decompressor!.Decompress(payload));

    T Deserialize<T>(ReadOnlySequence<byte> payload, Func<DeserializationContext, T> deserializer)
    {
        _payload.Bytes = payload;
        try
        {
            return deserializer(_payload);
        }
        catch (Exception e) when (e is not RpcException)
        {
            // Boundary: a marshaller may throw anything on bytes that the peer chose.
            throw new RpcException(new Status(StatusCode.Internal, "A message could not be deserialized.", e));
        }
        finally
        {
            _payload.Bytes = default;
        }
    }

    static RpcException Error(StatusCode code, string detail) => new(new Status(code, detail));

    sealed class Payload : DeserializationContext
    {
        public ReadOnlySequence<byte> Bytes { get; set; }

        public override int PayloadLength => (int)Bytes.Length;

        public override byte[] PayloadAsNewBuffer() => Bytes.ToArray();

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => Bytes;
    }
}
