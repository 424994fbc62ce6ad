using System.Globalization;
using Grpc.Core;

namespace Hexcast.Harness.Faults;

/// <summary>
/// Writes one key after the other for as long as it lives, by whichever member takes them, and remembers what was
/// acknowledged: none of it may be lost (I1).
/// </summary>
public sealed class AcknowledgedWrites : IAsyncDisposable
{
    private const int Pace = 20;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private readonly string prefix;
    private readonly IReadOnlyList<CoordinatorView> members;
    private readonly CancellationTokenSource stop = new();
    private readonly List<int> acknowledged = [];
    private readonly Task writing;

    public AcknowledgedWrites(IReadOnlyList<CoordinatorView> members, string name)
    {
        (this.members, prefix) = (members, $"/hexcast/drill/{name}/");
        writing = WriteAsync();
    }

    public int Count
    {
        get
        {
            lock (acknowledged)
            {
                return acknowledged.Count;
            }
        }
    }

    /// <summary>Until more are acknowledged than now.</summary>
    public Task GoOnAsync()
    {
        var before = Count;
        return Wait.ForAsync(
            () => Task.FromResult(Count > before), FaultyHosts.Limit, () => $"no more than {before} are acknowledged");
    }

    /// <summary>Ends it, and reads all of them back from each member.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> CheckAsync()
    {
        await stop.CancelAsync();
        await writing;
        foreach (var member in members)
        {
            var there = await member.ReadAsync(prefix);
            acknowledged.Where(n => !there.ContainsKey(Key(n))).ShouldBeEmpty("these writes were acknowledged");
        }

        return acknowledged.Count;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await writing;
        stop.Dispose();
    }

    private string Key(int n) => $"{prefix}{n.ToString("d8", CultureInfo.InvariantCulture)}";

    private async Task WriteAsync()
    {
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / Pace));
        for (var (n, member) = (1, 0); ; n++)
        {
            try
            {
                // Also after one that was refused, as by a full disk at once: its load is the same in any fault.
                await pace.WaitForNextTickAsync(stop.Token);
                await members[member % members.Count].PutAsync(Key(n), $"{n}", Limit);
                lock (acknowledged)
                {
                    acknowledged.Add(n);
                }
            }
            catch (RpcException)
            {
                // Perhaps written, perhaps not: the next key, by the next member.
                member++;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
