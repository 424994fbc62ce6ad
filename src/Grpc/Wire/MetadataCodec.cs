using Grpc.Core;

namespace Grpc.Wire;

/// <summary>Metadata as HTTP headers: text as it is, bytes as base64, several values a line for bytes only.</summary>
static class MetadataCodec
{
    /// <summary>Takes a header into the metadata, unless the protocol owns it or its name is no key.</summary>
    /// <exception cref="FormatException">The value of a -bin header is not base64.</exception>
    public static void Read(string name, string value, Metadata into)
    {
        if (GrpcHeaders.IsReserved(name) || !IsKey(name))
            return;

        if (!name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase))
        {
            // HTTP allows more than gRPC does. What a service could not send back is not shown to it.
            if (IsText(value))
                into.Add(name, value);
            return;
        }

        foreach (var part in value.Split(',', StringSplitOptions.TrimEntries))
            into.Add(name, FromBase64(name, part));
    }

    /// <summary>The text to send for an entry, or null where the protocol owns its key.</summary>
    public static string? Write(Metadata.Entry entry)
    {
        if (GrpcHeaders.IsReserved(entry.Key))
            return null;
        if (entry.IsBinary)
            return Convert.ToBase64String(entry.ValueBytes).TrimEnd('=');

        if (!IsText(entry.Value))
        {
            throw new InvalidOperationException(
                $"The value of the metadata {entry.Key} holds characters other than visible ASCII: "
                + $"send it as bytes under {entry.Key}{Metadata.BinaryHeaderSuffix}.");
        }

        return entry.Value;
    }

    static bool IsText(string value) => !value.AsSpan().ContainsAnyExceptInRange(' ', '~');

    static bool IsKey(string name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))
                return false;
        }

        return name.Length > 0;
    }

    // Peers may leave the padding out.
    static byte[] FromBase64(string name, string text)
    {
        var padded = (text.Length % 4) switch
        {
            2 => text + "==",
            3 => text + "=",
            _ => text,
        };
        try
        {
            return Convert.FromBase64String(padded);
        }
        catch (FormatException e)
        {
            throw new FormatException($"The value of the metadata {name} is not base64.", e);
        }
    }
}
