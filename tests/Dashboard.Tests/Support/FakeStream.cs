using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Dashboard.Tests.Support;

/// <summary>Server-sent events as the test tells them, and the trouble that it makes.</summary>
internal sealed class FakeStream
{
    private readonly Lock turn = new();
    private readonly List<Channel<string>> listeners = [];
    private readonly List<string> unheard = [];
    private int? refusal;

    /// <summary>What was told before anybody listened, the first to listen hears.</summary>
    public void Tell(string name, JsonObject data)
    {
        var text = $"event: {name}\ndata: {data.ToJsonString()}\n\n";
        lock (turn)
        {
            if (listeners.Count == 0)
            {
                unheard.Add(text);
            }

            listeners.ForEach(listener => listener.Writer.TryWrite(text));
        }
    }

    /// <summary>What is open breaks off, and whoever asks is answered so until <see cref="Accept"/>.</summary>
    public void Refuse(int status)
    {
        lock (turn)
        {
            refusal = status;
            listeners.ForEach(listener => listener.Writer.TryComplete());
            listeners.Clear();
        }
    }

    public void Accept()
    {
        lock (turn)
        {
            refusal = null;
        }
    }

    public async Task AnswerAsync(HttpContext context)
    {
        var mine = Channel.CreateUnbounded<string>();
        lock (turn)
        {
            if (refusal is { } status)
            {
                context.Response.StatusCode = status;
                return;
            }

            unheard.ForEach(text => mine.Writer.TryWrite(text));
            unheard.Clear();
            listeners.Add(mine);
        }

        try
        {
            context.Response.ContentType = "text/event-stream";
            // Asks again at once, where the real one lets three seconds pass.
            await context.Response.WriteAsync("retry: 50\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await foreach (var text in mine.Reader.ReadAllAsync(context.RequestAborted))
            {
                await context.Response.WriteAsync(text, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        finally
        {
            lock (turn)
            {
                listeners.Remove(mine);
            }
        }
    }
}
