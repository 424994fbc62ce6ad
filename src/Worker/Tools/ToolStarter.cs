using System.Collections.Concurrent;
using System.Diagnostics;

namespace Hexcast.Worker.Tools;

/// <summary>
/// Starts every tool from one thread that lives as long as this process. The kernel kills a child with
/// PR_SET_PDEATHSIG (bwrap --die-with-parent) when the THREAD that forked it ends: children started from the pool die
/// whenever the pool shrinks.
/// </summary>
internal sealed class ToolStarter : IDisposable
{
    private const int QueueLimit = 1024;

    private readonly BlockingCollection<(ProcessStartInfo Info, TaskCompletionSource<Process> Started)> queue =
        new(QueueLimit);

    private readonly Thread thread;

    public ToolStarter()
    {
        thread = new Thread(StartAll) { IsBackground = true, Name = "tool-starter" };
        thread.Start();
    }

    public Task<Process> StartAsync(ProcessStartInfo info)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        queue.Add((info, started));
        return started.Task;
    }

    /// <summary>Ends the thread, and with it every tool that still runs.</summary>
    public void Dispose()
    {
        queue.CompleteAdding();
        thread.Join();
        queue.Dispose();
    }

    private void StartAll()
    {
        foreach (var (info, started) in queue.GetConsumingEnumerable())
        {
            // The boundary of this thread: whatever a start throws belongs to the one who asked for it.
            try
            {
                started.SetResult(Process.Start(info)!);
            }
            catch (Exception failure)
            {
                started.SetException(failure);
            }
        }
    }
}
