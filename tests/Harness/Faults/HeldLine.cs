using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Hexcast.Harness.Faults;

/// <summary>
/// Stands between one node and its etcd, in the clear, and can keep what the node says to itself: the bytes are on
/// their way, as in a network that is slow, and arrive when it says so. What etcd says always passes.
/// </summary>
public sealed class HeldLine : IAsyncDisposable
{
    private readonly List<Connection> connections = [];
    private readonly RelayPort port;
    private bool isHeld;

    /// <param name="etcd">Where a member takes clients: http://address:port.</param>
    public HeldLine(string etcd) =>
        port = new RelayPort(IPEndPoint.Parse(new Uri(etcd).Authority), CarryAsync);

    /// <summary>Of the member, for the node.</summary>
    public string Address => $"http://{port.Address}";

    /// <summary>From now on nothing that the node says arrives.</summary>
    public void Hold()
    {
        lock (connections)
        {
            isHeld = true;
        }
    }

    /// <summary>Everything arrives again.</summary>
    public async Task ReleaseAsync()
    {
        List<Connection> all;
        lock (connections)
        {
            isHeld = false;
            all = [.. connections];
        }

        foreach (var connection in all)
        {
            try
            {
                await connection.LetThroughAsync(until: null);
            }
            catch (Exception ended) when (RelayPort.IsEnd(ended))
            {
                // Nobody is there any more who would hear it.
            }
        }
    }

    /// <summary>Waits until a call that has these bytes in it is here, whole; lets it through, with all that was said
    /// before it on its connection and nothing after it.</summary>
    /// <param name="before">After it is here, and before it is let through.</param>
    /// <returns>The message that etcd answers it with.</returns>
    public async Task<byte[]> DelayAsync(byte[] mark, Func<Task> before)
    {
        Connection? connection = null;
        await Wait.ForAsync(
            () =>
            {
                lock (connections)
                {
                    connection = connections.Find(one => one.EndOfCall(mark) is not null);
                }

                return Task.FromResult(connection is not null);
            },
            FaultyHosts.Limit, () => "the node never said it");
        var end = connection!.EndOfCall(mark)!;
        await before();
        await connection.LetThroughAsync(end);
        byte[]? answer = null;
        await Wait.ForAsync(
            () => Task.FromResult((answer = connection.AnswerOf(end.Stream)) is not null),
            FaultyHosts.Limit, () => "etcd never answered it");
        return answer!;
    }

    public ValueTask DisposeAsync() => port.DisposeAsync();

    /// <summary>For as long as etcd keeps the connection: what a node has said may be here still when it has given that
    /// up.</summary>
    private async Task CarryAsync(Socket node, Socket etcd, CancellationToken stop)
    {
        using var connection = new Connection(etcd);
        lock (connections)
        {
            connections.Add(connection);
        }

        try
        {
            await Task.WhenAll(SayAsync(connection, node, etcd, stop), AnswerAsync(connection, etcd, node, stop));
        }
        finally
        {
            lock (connections)
            {
                connections.Remove(connection);
            }
        }
    }

    private async Task SayAsync(Connection connection, Socket node, Socket etcd, CancellationToken stop)
    {
        var preface = new byte[Http2Frame.PrefaceBytes];
        await using (var stream = new NetworkStream(node, ownsSocket: false))
        {
            await stream.ReadExactlyAsync(preface, stop);
        }

        await etcd.SendAsync(preface, stop);
        await foreach (var frame in Http2Frame.ReadAsync(node, stop))
        {
            connection.Say(frame);
            bool mayPass;
            lock (connections)
            {
                mayPass = !isHeld;
            }

            if (mayPass)
            {
                await connection.LetThroughAsync(until: null);
            }
        }
    }

    private static async Task AnswerAsync(Connection connection, Socket etcd, Socket node, CancellationToken stop)
    {
        try
        {
            await foreach (var frame in Http2Frame.ReadAsync(etcd, stop))
            {
                connection.Hear(frame);
                try
                {
                    await node.SendAsync(frame.Bytes, stop);
                }
                catch (SocketException)
                {
                    // The node has left.
                }
            }
        }
        finally
        {
            node.Dispose();
        }
    }

    private sealed class Connection(Socket etcd) : IDisposable
    {
        private readonly SemaphoreSlim sending = new(1);
        private readonly List<Http2Frame> waiting = [];
        private readonly Dictionary<int, List<byte>> answers = [];

        public void Say(Http2Frame frame)
        {
            lock (waiting)
            {
                waiting.Add(frame);
            }
        }

        public void Hear(Http2Frame frame)
        {
            lock (answers)
            {
                if (frame.IsData && answers.TryGetValue(frame.Stream, out var answer))
                {
                    answer.AddRange(frame.Payload);
                }
            }
        }

        /// <summary>The last frame of the call that has these bytes in it; null: it is not here.</summary>
        public Http2Frame? EndOfCall(byte[] mark)
        {
            lock (waiting)
            {
                var found = waiting.Find(frame => frame.IsData && frame.Payload.IndexOf(mark) >= 0);
                return found is null
                    ? null
                    : waiting.Find(frame => frame.IsData && frame.IsLast && frame.Stream == found.Stream);
            }
        }

        /// <summary>The message in the answer to a call that was let through; null: it is not whole.</summary>
        public byte[]? AnswerOf(int stream)
        {
            lock (answers)
            {
                // Whether it is compressed, and how long it is: it comes first.
                const int prefix = 5;
                var answer = answers[stream].ToArray();
                return answer.Length < prefix
                    || answer.Length - prefix < BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(1))
                    ? null
                    : answer[prefix..];
            }
        }

        public void Dispose() => sending.Dispose();

        /// <param name="until">The last that passes; null: everything does.</param>
        public async Task LetThroughAsync(Http2Frame? until)
        {
            await sending.WaitAsync();
            try
            {
                List<Http2Frame> passing;
                lock (waiting)
                {
                    var count = until is null ? waiting.Count : waiting.IndexOf(until) + 1;
                    passing = waiting[..count];
                    waiting.RemoveRange(0, count);
                }

                if (until is not null)
                {
                    lock (answers)
                    {
                        answers[until.Stream] = [];
                    }
                }

                foreach (var frame in passing)
                {
                    await etcd.SendAsync(frame.Bytes);
                }
            }
            finally
            {
                sending.Release();
            }
        }
    }
}
