using System.Globalization;
using Grpc.Core;
using Hexcast.Simulation;

namespace Hexcast.Harness.Faults;

/// <summary>
/// Clients that read, write and swap a few keys for as long as it lives, each by another member and by the next one
/// where that does not answer. There has to be one order in which all of them would have been answered so (I5).
/// </summary>
public sealed class RegisterClients : IAsyncDisposable
{
    private const int Keys = 3;

    // Each client's calls in a second: little beside what the jobs write.
    private const int Pace = 10;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastLimit = TimeSpan.FromSeconds(10);

    private readonly string prefix;
    private readonly IReadOnlyList<CoordinatorView> members;
    private readonly CancellationTokenSource stop = new();
    private readonly List<Call> calls = [];
    private readonly Task asking;
    private long moments;
    private int lastValue;

    /// <param name="members">Of the coordinator.</param>
    /// <param name="name">Of these clients: nobody else had it.</param>
    public RegisterClients(IReadOnlyList<CoordinatorView> members, string name)
    {
        (this.members, prefix) = (members, $"/hexcast/drill/{name}/");
        asking = Task.WhenAll(Enumerable.Range(0, members.Count).Select(AskAsync));
    }

    /// <summary>Ends it, once each member has answered what there is in the end, and judges the answers.</summary>
    public async Task CheckAsync()
    {
        await stop.CancelAsync();
        await asking;
        for (var member = 0; member < members.Count; member++)
        {
            for (var key = 0; key < Keys; key++)
            {
                (await CallAsync(member, member, new Operation(OperationKind.Get, key, 0, 0), LastLimit))
                    .ShouldBeTrue("a member answers no reads in the end");
            }
        }

        calls.Count(call => call.Returned != long.MaxValue && HasWritten(call))
            .ShouldBePositive("nothing was ever written");
        var fault = Linearizability.FindFault(calls);
        fault.ShouldBeNull($"no order explains these answers:\n{string.Join('\n', fault ?? [])}");
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await asking;
        stop.Dispose();
    }

    private static bool HasWritten(Call call) => call.Operation.Kind switch
    {
        OperationKind.Put => true,
        OperationKind.Swap => call.Result == 1,
        _ => false,
    };

    private async Task AskAsync(int client)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / Pace));
        var dice = new Dice((ulong)client);
        var seen = new int[Keys];
        try
        {
            for (var member = client; ; await pace.WaitForNextTickAsync(stop.Token))
            {
                var key = dice.Below(Keys);
                var operation = dice.Below(3) switch
                {
                    0 => new Operation(OperationKind.Get, key, 0, 0),
                    1 => new Operation(OperationKind.Put, key, Interlocked.Increment(ref lastValue), 0),
                    _ => new Operation(OperationKind.Swap, key, Interlocked.Increment(ref lastValue), seen[key]),
                };
                member = await CallAsync(client, member, operation, Limit) ? member : (member + 1) % members.Count;
                seen[key] = LastSeen(client, key) ?? seen[key];
            }
        }
        catch (OperationCanceledException)
        {
            // It has been enough.
        }
    }

    private int? LastSeen(int client, int key)
    {
        lock (calls)
        {
            return calls.FindLast(call => call.Client == client && call.Operation.Key == key
                && call.Operation.Kind == OperationKind.Get && call.Returned != long.MaxValue)?.Result;
        }
    }

    /// <returns>Whether it was answered; if not, nobody knows whether it was done.</returns>
    private async Task<bool> CallAsync(int client, int member, Operation operation, TimeSpan limit)
    {
        var call = new Call(client, operation, Interlocked.Increment(ref moments));
        lock (calls)
        {
            calls.Add(call);
        }

        try
        {
            call.Result = await ResultAsync(members[member], operation, limit);
            call.Returned = Interlocked.Increment(ref moments);
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    private async Task<int> ResultAsync(CoordinatorView member, Operation operation, TimeSpan limit)
    {
        var key = $"{prefix}{operation.Key}";
        switch (operation.Kind)
        {
            case OperationKind.Get:
                var value = await member.ReadOneAsync(key, limit);
                return value is null ? 0 : int.Parse(value, CultureInfo.InvariantCulture);
            case OperationKind.Put:
                await member.PutAsync(key, $"{operation.Value}", limit);
                return 0;
            default:
                var expected = operation.Expected == 0 ? null : $"{operation.Expected}";
                return await member.SwapAsync(key, expected, $"{operation.Value}", limit) ? 1 : 0;
        }
    }
}
