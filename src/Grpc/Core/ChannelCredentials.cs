namespace Grpc.Core;

/// <summary>
/// Whether a channel uses TLS, and what all its calls carry. Which certificates are trusted and shown is set up at the
/// channel's handler.
/// </summary>
public abstract class ChannelCredentials
{
    public static ChannelCredentials Insecure { get; } = new Plain();

    public static ChannelCredentials SecureSsl { get; } = new SslCredentials();

    internal abstract bool IsSecure { get; }

    internal virtual CallCredentials? OfCalls => null;

    /// <summary>The channel's credentials, and on top of them those of each of its calls.</summary>
    public static ChannelCredentials Create(ChannelCredentials channelCredentials, CallCredentials callCredentials)
    {
        ArgumentNullException.ThrowIfNull(channelCredentials);
        ArgumentNullException.ThrowIfNull(callCredentials);
        if (channelCredentials.OfCalls is not null)
            throw new ArgumentException("These channel credentials have call credentials: compose those instead.");
        return new Composite(channelCredentials, callCredentials);
    }

    sealed class Plain : ChannelCredentials
    {
        internal override bool IsSecure => false;
    }

    sealed class Composite(ChannelCredentials channel, CallCredentials calls) : ChannelCredentials
    {
        internal override bool IsSecure => channel.IsSecure;

        internal override CallCredentials? OfCalls => calls;
    }
}

/// <summary>TLS.</summary>
public sealed class SslCredentials : ChannelCredentials
{
    internal override bool IsSecure => true;
}
