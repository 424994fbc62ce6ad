using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Client.Members;

/// <summary>
/// Which of the coordinator's members all calls go to.
///
///   1. The one in use is asked, twice a second, for what only a member with a quorum can answer.
///   2. While it owes its answer, every member is asked over a connection of its own; the first to answer is used.
///   3. The one before is given up, and its calls end at once: their callers make them again.
///
/// So one that was killed, stands still or is cut off from the others costs a second. One that cannot reach the others
/// would otherwise keep watches open and silent, and HTTP/2's own pings answered.
/// </summary>
internal sealed class CoordinatorMembers(
    IReadOnlyList<string> first,
    Func<string, Action, MemberLink> open,
    EtcdLogin login,
    TimeProvider clock,
    ILogger log) : BackgroundService
{
    private static readonly TimeSpan AskInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan DoubtAfter = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1);

    /// <summary>Of silence by all; until then calls still go to the last one that answered.</summary>
    private static readonly TimeSpan AwayAfter = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    private readonly Backoff backoff = new(FirstRetry, LastRetry, clock);
    private volatile IReadOnlyList<string> members = first;
    private volatile State state = new(Link: null, Why: null);
    private volatile TaskCompletionSource doubt = Signal();
    private long lastAnswer = clock.GetTimestamp();

    /// <param name="Link">The member in use.</param>
    /// <param name="Why">There is none for this reason; null: none has been asked yet.</param>
    private sealed record State(MemberLink? Link, CoordinatorException? Why)
    {
        public TaskCompletionSource Over { get; } = Signal();
    }

    private sealed record Answer(MemberLink? Link, CoordinatorException? Why);

    /// <summary>The member in use, once one has answered.</summary>
    /// <exception cref="RpcException">None of them does.</exception>
    public async ValueTask<MemberLink> LinkAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var now = state;
            if (now.Link is not null)
            {
                return now.Link;
            }

            if (now.Why is not null)
            {
                throw CoordinatorErrors.AsCall(now.Why);
            }

            await now.Over.Task.WaitAsync(cancellation);
        }
    }

    /// <exception cref="RpcException">There is none.</exception>
    public MemberLink Link => state is { Link: { } link } ? link : throw CoordinatorErrors.AsCall(
        state.Why ?? new CoordinatorException(CoordinatorError.Unavailable, "No member has answered yet."));

    /// <summary>These are the members from now on. The one in use is used until it does not answer.</summary>
    public void Use(IReadOnlyList<string> now) => members = now.Count > 0 ? now : members;

    /// <summary>A call has failed as calls to a dead member do: it is asked at once.</summary>
    public void Doubt() => doubt.TrySetResult();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                doubt = Signal();
                if (await RoundAsync(stoppingToken))
                {
                    backoff.Reset();
                    await doubt.Task.WaitAsync(AskInterval, clock, stoppingToken)
                        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
                else
                {
                    await backoff.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
        finally
        {
            Become(null, new CoordinatorException(CoordinatorError.Stopped, "This node stops."));
        }
    }

    /// <returns>Whether a member answered.</returns>
    private async Task<bool> RoundAsync(CancellationToken stop)
    {
        var current = state.Link;
        using var round = CancellationTokenSource.CreateLinkedTokenSource(stop);
        List<Task<Answer>> asked = [];
        if (current is not null)
        {
            asked.Add(AskAsync(current, round.Token));
            await Task.WhenAny(asked[0], Task.Delay(DoubtAfter, clock, round.Token));
            if (asked[0].IsCompletedSuccessfully && (await asked[0]).Why is null)
            {
                lastAnswer = clock.GetTimestamp();
                await round.CancelAsync();
                return true;
            }
        }

        asked.AddRange(members.Select(member => TryAsync(member, round.Token)));
        var winner = await FirstAsync(asked);
        await round.CancelAsync();
        var answers = await Task.WhenAll(asked);
        foreach (var other in answers.Where(answer => answer.Link != winner && answer.Link != current))
        {
            other.Link?.Dispose();
        }

        if (stop.IsCancellationRequested)
        {
            return false;
        }

        Conclude(current, winner, answers);
        return winner is not null;
    }

    private void Conclude(MemberLink? current, MemberLink? winner, Answer[] answers)
    {
        if (winner is not null)
        {
            lastAnswer = clock.GetTimestamp();
            if (winner != current)
            {
                Tell(current, winner);
                Become(winner, null);
            }

            return;
        }

        if (current is not null && clock.GetElapsedTime(lastAnswer) < AwayAfter)
        {
            return;
        }

        var faults = answers.Select(answer => answer.Why).OfType<CoordinatorException>()
            .DistinctBy(fault => fault.Message).OrderByDescending(fault => CoordinatorErrors.IsOfAccess(fault.Error))
            .ToList();
        var why = new CoordinatorException(
            faults.Count > 0 ? faults[0].Error : CoordinatorError.Unavailable,
            "None of the coordinator's members can be used. " +
            string.Join(" ", faults.Select(fault => fault.Message)));
        if (state.Why?.Message != why.Message)
        {
            log.LogWarning("{Why}", why.Message);
        }

        Become(null, why);
    }

    private void Tell(MemberLink? current, MemberLink winner)
    {
        if (current is null)
        {
            log.LogInformation("The coordinator's member {Member} is used", winner.Member);
        }
        else
        {
            log.LogWarning(
                "The coordinator's member {Before} does not answer; {Member} does", current.Member, winner.Member);
        }
    }

    private void Become(MemberLink? link, CoordinatorException? why)
    {
        var before = state;
        state = new State(link, why);
        before.Over.TrySetResult();
        before.Link?.GiveUp();
    }

    private static async Task<MemberLink?> FirstAsync(IEnumerable<Task<Answer>> asked)
    {
        await foreach (var answer in Task.WhenEach(asked))
        {
            if ((await answer) is { Link: { } link, Why: null })
            {
                return link;
            }
        }

        return null;
    }

    private async Task<Answer> TryAsync(string member, CancellationToken round)
    {
        try
        {
            return await AskAsync(open(member, Doubt), round);
        }
        catch (CoordinatorException unusable)
        {
            return new Answer(null, unusable);
        }
    }

    // Whoever may not read the key is told so by a member that has a quorum.
    private async Task<Answer> AskAsync(MemberLink link, CancellationToken round)
    {
        CoordinatorException? why = null;
        try
        {
            if (login.IsDue)
            {
                await login.RenewAsync(link, refused: null, round);
            }

            var token = login.Token;
            why = await ReadAsync(link, token, round);
            if (why is not null && EtcdLogin.IsStale(why.Error) && await login.RenewAsync(link, token, round))
            {
                why = await ReadAsync(link, login.Token, round);
            }
        }
        catch (CoordinatorException refused)
        {
            why = refused;
        }
        catch (OperationCanceledException over) when (round.IsCancellationRequested)
        {
            why = new CoordinatorException(CoordinatorError.Unavailable, $"{link.Member} owes its answer.", over);
        }

        return new Answer(link, why?.Error == CoordinatorError.PermissionDenied ? null : why);
    }

    private async Task<CoordinatorException?> ReadAsync(MemberLink link, string? token, CancellationToken round)
    {
        var options = new CallOptions(
            deadline: clock.GetUtcNow().UtcDateTime + RoundTime, cancellationToken: round);
        var request = new RangeRequest { Key = KeyBytes.Of(CoordinatorClient.ElectionKey), CountOnly = true };
        try
        {
            await new KV.KVClient(link.Invoker).RangeAsync(request, EtcdLogin.With(options, token));
            return null;
        }
        catch (RpcException failed)
        {
            return link.NameOf(failed);
        }
    }

    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
