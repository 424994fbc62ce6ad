using System.Net;
using Grpc.Core;
using Grpc.Net.Client.Balancer;

namespace Hexcast.Grpc.Tests.Client;

/// <summary>Backoff, the state of an address, and who is picked: without a clock, chance or network.</summary>
public sealed class PickingTests
{
    const double NoJitter = 0.5;

    static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Backoff_grows_by_a_factor_of_1_6_to_its_limit()
    {
        var backoff = new ReconnectBackoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(120));

        var waits = Enumerable.Range(0, 13).Select(_ => backoff.Next(NoJitter).TotalSeconds).ToList();

        waits[0].ShouldBe(1, 0.001);
        waits[1].ShouldBe(1.6, 0.001);
        waits[5].ShouldBe(10.486, 0.001);
        waits[11].ShouldBe(120, 0.001);
        waits[12].ShouldBe(120, 0.001);
        backoff.Reset();
        backoff.Next(0).TotalSeconds.ShouldBe(0.8, 0.001);
        backoff.Reset();
        backoff.Next(1).TotalSeconds.ShouldBe(1.2, 0.001);
    }

    [Fact]
    public void Failed_address_waits_from_the_start_of_its_attempt()
    {
        var one = Create();
        one.CanStart(isWake: false, Start).ShouldBeTrue();
        one.Start(Start, NoJitter);
        one.State.ShouldBe(ConnectivityState.Connecting);
        one.CanStart(isWake: true, Start).ShouldBeFalse();
        one.OnFailed(new Status(StatusCode.Unavailable, "refused"));

        one.State.ShouldBe(ConnectivityState.TransientFailure);
        one.CanStart(isWake: true, Start.AddSeconds(0.9)).ShouldBeFalse();
        one.CanStart(isWake: true, Start.AddSeconds(1)).ShouldBeTrue();
        one.CanStart(isWake: false, Start.AddSeconds(1)).ShouldBeFalse();
        one.Start(Start.AddSeconds(1), NoJitter);
        one.RetryAt.ShouldBe(Start.AddSeconds(2.6));
    }

    [Fact]
    public void Connection_that_proved_itself_starts_backoff_anew_and_is_idle_once_lost()
    {
        var one = Create();
        one.Start(Start, NoJitter);
        one.OnFailed(default);
        one.Start(Start.AddSeconds(1), NoJitter);
        one.OnConnected();
        one.OnProved();
        one.OnLost(Start.AddSeconds(1.1));

        one.State.ShouldBe(ConnectivityState.Idle);
        one.Start(Start.AddSeconds(2), NoJitter);
        one.RetryAt.ShouldBe(Start.AddSeconds(3));
    }

    [Fact]
    public void Connection_that_is_lost_before_the_server_spoke_counts_as_failed()
    {
        var quick = Create();
        quick.Start(Start, NoJitter);
        quick.OnConnected();
        quick.OnLost(Start.AddSeconds(0.1));
        quick.State.ShouldBe(ConnectivityState.TransientFailure);

        var late = Create();
        late.Start(Start, NoJitter);
        late.OnConnected();
        late.OnLost(Start.AddSeconds(5));
        late.State.ShouldBe(ConnectivityState.Idle);
    }

    [Fact]
    public void Pick_first_connects_one_after_another_and_stays_with_the_first_that_is_ready()
    {
        var all = new[] { Create(), Create(), Create() };
        var policy = new PickFirst();
        IEnumerable<Subchannel> ToConnect() => policy.ToConnect(all, one => one.CanStart(isWake: false, Start));

        ToConnect().ShouldBe([all[0]]);
        all[0].Start(Start, NoJitter);
        ToConnect().ShouldBeEmpty();
        all[0].OnFailed(default);
        ToConnect().ShouldBe([all[1]]);
        all[1].Start(Start, NoJitter);
        all[1].OnConnected();
        ToConnect().ShouldBeEmpty();
        policy.Pick(all).ShouldBe(all[1]);
        policy.Pick(all).ShouldBe(all[1]);
        PickPolicy.StateOf(all).ShouldBe(ConnectivityState.Ready);
    }

    [Fact]
    public void Round_robin_connects_all_and_takes_those_that_are_ready_in_turn()
    {
        var all = new[] { Create(), Create(), Create() };
        var policy = new RoundRobin();

        policy.ToConnect(all, one => one.CanStart(isWake: false, Start)).ShouldBe(all);
        foreach (var one in all)
            one.Start(Start, NoJitter);
        policy.Pick(all).ShouldBeNull();
        PickPolicy.StateOf(all).ShouldBe(ConnectivityState.Connecting);
        all[0].OnConnected();
        all[1].OnFailed(default);
        all[2].OnConnected();

        Enumerable.Range(0, 4).Select(_ => policy.Pick(all)).ShouldBe([all[0], all[2], all[0], all[2]]);
    }

    [Fact]
    public void All_together_have_failed_only_when_each_has()
    {
        var all = new[] { Create(), Create() };
        foreach (var one in all)
            one.Start(Start, NoJitter);
        all[0].OnFailed(default);
        PickPolicy.StateOf(all).ShouldBe(ConnectivityState.Connecting);
        all[1].OnFailed(default);
        PickPolicy.StateOf(all).ShouldBe(ConnectivityState.TransientFailure);
        PickPolicy.StateOf([]).ShouldBe(ConnectivityState.Idle);
    }

    static Subchannel Create() => new(
        new DnsEndPoint("localhost", 1),
        new Uri("http://localhost:1"),
        new ReconnectBackoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(120)));
}
