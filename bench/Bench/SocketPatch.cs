using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Hexcast.Bench;

/// <summary>
/// A tus PATCH by a blocking socket: client and server share the cores, and HttpClient takes three times as much of
/// them for the same bytes.
/// </summary>
internal static class SocketPatch
{
    private const int AnswerLimitBytes = 16 << 10;

    /// <summary>Sends one buffer again and again, and waits for the answer.</summary>
    public static void Send(Uri server, string location, string token, byte[] buffer, long bytes)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(new IPEndPoint(IPAddress.Parse(server.Host), server.Port));
        socket.Send(Encoding.ASCII.GetBytes(
            $"PATCH {location} HTTP/1.1\r\nHost: {server.Authority}\r\nAuthorization: Bearer {token}\r\n" +
            "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n" +
            $"Content-Length: {bytes}\r\nConnection: close\r\n\r\n"));
        for (var left = bytes; left > 0;)
        {
            left -= socket.Send(buffer.AsSpan(0, (int)Math.Min(buffer.Length, left)));
        }

        var answer = new byte[AnswerLimitBytes];
        var read = 0;
        while (read < answer.Length && socket.Receive(answer.AsSpan(read)) is > 0 and var more)
        {
            read += more;
        }

        var text = Encoding.ASCII.GetString(answer, 0, read);
        if (!text.StartsWith("HTTP/1.1 204 ", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"the upload was answered with: {text}");
        }
    }
}
