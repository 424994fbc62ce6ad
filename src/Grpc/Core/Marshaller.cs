using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a message is written to: either in pieces (length, writer, complete) or as one array.</summary>
public abstract class SerializationContext
{
    /// <summary>The whole message; the array now belongs to the call.</summary>
    public abstract void Complete(byte[] payload);

    /// <summary>Must be called before the first byte is written, if at all.</summary>
    public abstract void SetPayloadLength(int payloadLength);

    public abstract IBufferWriter<byte> GetBufferWriter();

    public abstract void Complete();
}

/// <summary>Where a message is read from. Its bytes are valid only until the deserializer returns.</summary>
public abstract class DeserializationContext
{
    public abstract int PayloadLength { get; }

    public abstract byte[] PayloadAsNewBuffer();

    public abstract ReadOnlySequence<byte> PayloadAsReadOnlySequence();
}

/// <summary>How one message type becomes bytes and comes back.</summary>
public class Marshaller<T>
{
    public Marshaller(Action<T, SerializationContext> serializer, Func<DeserializationContext, T> deserializer)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        ArgumentNullException.ThrowIfNull(deserializer);
        ContextualSerializer = serializer;
        ContextualDeserializer = deserializer;
    }

    public Marshaller(Func<T, byte[]> serializer, Func<byte[], T> deserializer)
        : this(
            (message, context) => context.Complete(serializer(message)),
            context => deserializer(context.PayloadAsNewBuffer()))
    {
        ArgumentNullException.ThrowIfNull(serializer);
        ArgumentNullException.ThrowIfNull(deserializer);
    }

    public Action<T, SerializationContext> ContextualSerializer { get; }

    public Func<DeserializationContext, T> ContextualDeserializer { get; }
}

public static class Marshallers
{
    public static Marshaller<string> StringMarshaller { get; } =
        new(System.Text.Encoding.UTF8.GetBytes, System.Text.Encoding.UTF8.GetString);

    public static Marshaller<T> Create<T>(
        Action<T, SerializationContext> serializer, Func<DeserializationContext, T> deserializer) =>
        new(serializer, deserializer);

    public static Marshaller<T> Create<T>(Func<T, byte[]> serializer, Func<byte[], T> deserializer) =>
        new(serializer, deserializer);
}
