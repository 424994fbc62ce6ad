using Google.Protobuf;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Tests.Servers;
using Hexcast.Harness;

namespace Hexcast.Coordination.Tests.Members;

/// <summary>What members that are lost cost those that use them.</summary>
[Collection(nameof(EtcdTrio))]
public sealed class FaultTests(EtcdTrio etcd) : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>A second of doubt and another member's answer; the rest is what a busy machine takes.</summary>
    private static readonly TimeSpan Bearable = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await etcd.HealAsync();

    [Theory]
    [InlineData("killed")]
    [InlineData("paused")]
    [InlineData("cut off")]
    public async Task A_member_that_is_lost_costs_its_clients_seconds(string how)
    {
        await using var client = new MembersClient(etcd.Options());
        await using var other = new MembersClient(etcd.Options() with { Endpoints = await FollowersAsync() });
        var key = $"/hexcast/test/lost-{how}";
        await using var watch = other.Client.WatchKeyAsync(key, Cancellation).GetAsyncEnumerator(Cancellation);
        await using var lease = await other.Client.GrantLeaseAsync(TimeSpan.FromSeconds(10), Cancellation);
        (await watch.MoveNextAsync()).ShouldBeTrue();

        var lost = etcd.Members.Single(member => member.Address == other.Member);
        await LoseAsync(lost, how);
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        await UntilAsync(() => client.Client.PutAsync(key, ByteString.CopyFromUtf8("x"), Cancellation));
        (await watch.MoveNextAsync()).ShouldBeTrue();
        await UntilAsync(() => other.Client.PutAsync(key, ByteString.CopyFromUtf8("y"), Cancellation, lease.Id));

        clock.GetElapsedTime(start).ShouldBeLessThan(Bearable);
        other.Member.ShouldNotBe(lost.Address);
        lease.Lost.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task Without_a_quorum_calls_are_refused_soon_and_all_goes_on_when_it_is_back()
    {
        await using var client = new MembersClient(etcd.Options());
        await using var watch = client.Client.WatchKeyAsync("/hexcast/test/away", Cancellation)
            .GetAsyncEnumerator(Cancellation);
        (await watch.MoveNextAsync()).ShouldBeTrue();

        await etcd.Members[0].PauseAsync();
        await etcd.Members[1].KillAsync();
        await Wait.ForAsync(
            async () =>
            {
                var start = TimeProvider.System.GetTimestamp();
                var refused = await Should.ThrowAsync<CoordinatorException>(
                    () => client.Client.PutAsync("/hexcast/test/away", ByteString.Empty, Cancellation));
                return refused.Message.Contains("None of the coordinator's members can be used")
                    && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(1);
            },
            Limit, () => "calls still wait");

        await etcd.HealAsync();
        await UntilAsync(() => client.Client.PutAsync(
            "/hexcast/test/away", ByteString.CopyFromUtf8("back"), Cancellation));
        (await watch.MoveNextAsync()).ShouldBeTrue();
        watch.Current!.Value.ToStringUtf8().ShouldBe("back");
    }

    private Task LoseAsync(EtcdMember member, string how)
    {
        if (how == "cut off")
        {
            etcd.CutOff(member);
        }

        return how switch
        {
            "killed" => member.KillAsync(),
            "paused" => member.PauseAsync(),
            _ => Task.CompletedTask,
        };
    }

    /// <summary>The leader last: whoever is lost is another one.</summary>
    private async Task<string[]> FollowersAsync()
    {
        var leader = await etcd.LeaderAsync();
        return [.. etcd.Members.Where(member => member != leader).Select(member => member.Address)];
    }

    /// <summary>As those who may make a call again do.</summary>
    private static Task UntilAsync(Func<Task> call) => Wait.ForAsync(
        async () =>
        {
            try
            {
                await call();
                return true;
            }
            catch (CoordinatorException)
            {
                return false;
            }
        },
        Limit, () => "the call never succeeds");
}
