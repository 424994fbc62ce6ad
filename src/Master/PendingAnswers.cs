using System.Collections.Concurrent;
using Google.Protobuf;

namespace Hexcast.Master;

/// <summary>Calls that wait for the scheduler's answer, by request number.</summary>
internal sealed class PendingAnswers
{
    private readonly ConcurrentDictionary<long, TaskCompletionSource<IMessage>> pending = new();

    public async Task<IMessage> WaitAsync(long request, Func<ValueTask> ask, CancellationToken cancel)
    {
        var answer = new TaskCompletionSource<IMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        pending[request] = answer;
        try
        {
            await ask();
            return await answer.Task.WaitAsync(cancel);
        }
        finally
        {
            pending.TryRemove(request, out _);
        }
    }

    public void Answer(long request, IMessage message)
    {
        if (pending.TryGetValue(request, out var answer))
        {
            answer.TrySetResult(message);
        }
    }

    public void Refuse(long request, Exception failure)
    {
        if (pending.TryGetValue(request, out var answer))
        {
            answer.TrySetException(failure);
        }
    }

    public void RefuseAll(Exception failure)
    {
        foreach (var request in pending.Keys)
        {
            Refuse(request, failure);
        }
    }
}
