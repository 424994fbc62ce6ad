using System.Diagnostics;

namespace Hexcast.App.Local;

/// <summary>
/// A process that ends with this one, however this one ends: it stops in order when its standard input does, which is
/// a pipe from here. In a session of its own, so that Ctrl-C reaches only this process, which stops them in turn.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int KeptLines = 20;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly Process process;
    private readonly TimeProvider clock;
    private readonly Queue<string> words = new();

    private ChildProcess(Process process, TimeProvider clock) => (this.process, this.clock) = (process, clock);

    public int Id => process.Id;

    /// <summary>Completes at its end.</summary>
    public Task Ended => process.WaitForExitAsync();

    public bool HasEnded => process.HasExited;

    /// <summary>The last that it said on standard error.</summary>
    public string Words
    {
        get
        {
            lock (words)
            {
                return string.Join('\n', words);
            }
        }
    }

    public static ChildProcess Start(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, TimeProvider clock)
    {
        var start = new ProcessStartInfo("setsid", command)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var started = Process.Start(start)!;
        var child = new ChildProcess(started, clock);
        started.OutputDataReceived += (_, _) => { };
        started.ErrorDataReceived += (_, line) => child.Keep(line.Data);
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        return child;
    }

    /// <summary>In its own order; one that does not is killed.</summary>
    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        try
        {
            await Ended.WaitAsync(StopLimit, clock);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            await Ended;
        }

        process.Dispose();
    }

    private void Keep(string? line)
    {
        lock (words)
        {
            if (line is not null)
            {
                words.Enqueue(line);
                if (words.Count > KeptLines)
                {
                    words.Dequeue();
                }
            }
        }
    }
}
