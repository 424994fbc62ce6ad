using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Grpc.Net.Client.Retries;

namespace Hexcast.Grpc.Tests.Client;

/// <summary>When a call is tried again, without a clock, chance or network.</summary>
public sealed class RetryRulesTests
{
    const double NoJitter = 0.5;

    static readonly RetryRules Rules = new(
        MaxAttempts: 5,
        InitialBackoff: TimeSpan.FromMilliseconds(100),
        MaxBackoff: TimeSpan.FromMilliseconds(300),
        BackoffMultiplier: 2,
        RetryableStatusCodes: new HashSet<StatusCode> { StatusCode.Unavailable });

    [Fact]
    public void Backoff_grows_to_its_limit_and_the_last_attempt_is_the_last()
    {
        var judge = new RetryJudge(Rules, null);

        double?[] waits =
        [
            .. Enumerable.Range(0, 5).Select(
                _ => judge.OnFailure(StatusCode.Unavailable, null, NoJitter)?.TotalMilliseconds),
        ];

        waits.ShouldBe([100, 200, 300, 300, null]);
    }

    [Theory]
    [InlineData(0.0, 80)]
    [InlineData(0.5, 100)]
    [InlineData(1.0, 120)]
    public void Backoff_is_a_fifth_more_or_less(double random, double milliseconds) =>
        new RetryJudge(Rules, null).OnFailure(StatusCode.Unavailable, null, random)!.Value.TotalMilliseconds
            .ShouldBe(milliseconds, 0.001);

    [Fact]
    public void Status_that_is_not_listed_is_final()
    {
        new RetryJudge(Rules, null).OnFailure(StatusCode.Internal, null, NoJitter).ShouldBeNull();
        new RetryJudge(Rules, null).OnFailure(StatusCode.Internal, "10", NoJitter).ShouldBeNull();
    }

    [Fact]
    public void Server_says_when_and_backoff_starts_anew_after_it()
    {
        var judge = new RetryJudge(Rules, null);
        judge.OnFailure(StatusCode.Unavailable, null, NoJitter);
        judge.OnFailure(StatusCode.Unavailable, null, NoJitter);

        judge.OnFailure(StatusCode.Unavailable, "7", NoJitter).ShouldBe(TimeSpan.FromMilliseconds(7));
        judge.OnFailure(StatusCode.Unavailable, null, NoJitter).ShouldBe(TimeSpan.FromMilliseconds(100));
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("soon")]
    [InlineData("")]
    [InlineData("99999999999")]
    public void Server_can_say_never(string pushback) =>
        new RetryJudge(Rules, null).OnFailure(StatusCode.Unavailable, pushback, NoJitter).ShouldBeNull();

    [Fact]
    public void Failures_stop_retries_for_all_calls_until_enough_succeed()
    {
        var throttle = new RetryThrottle(new RetryThrottlingPolicy { MaxTokens = 4, TokenRatio = 0.5 });
        TimeSpan? Fail() => new RetryJudge(Rules, throttle).OnFailure(StatusCode.Unavailable, null, NoJitter);

        Fail().ShouldNotBeNull();
        Fail().ShouldBeNull();
        throttle.IsActive.ShouldBeTrue();
        throttle.OnSuccess();
        throttle.IsActive.ShouldBeFalse();
        for (var i = 0; i < 100; i++)
            throttle.OnSuccess();
        Fail().ShouldNotBeNull();
        Fail().ShouldBeNull();
    }

    [Fact]
    public void Only_failures_that_a_retry_could_mend_take_tokens()
    {
        var throttle = new RetryThrottle(new RetryThrottlingPolicy { MaxTokens = 2, TokenRatio = 1 });

        new RetryJudge(Rules, throttle).OnFailure(StatusCode.InvalidArgument, null, NoJitter);
        throttle.IsActive.ShouldBeFalse();
        new RetryJudge(Rules, throttle).OnFailure(StatusCode.InvalidArgument, "-1", NoJitter);
        throttle.IsActive.ShouldBeTrue();
    }

    [Fact]
    public void Closest_name_of_a_method_counts()
    {
        var config = new ServiceConfig();
        Add(config, 2, new MethodName { Service = "a.S", Method = "M" });
        Add(config, 3, new MethodName { Service = "a.S" });
        Add(config, 4, MethodName.Default);
        var retries = new MethodRetries(new GrpcChannelOptions { ServiceConfig = config });

        retries.For(MethodOf("a.S", "M"))!.MaxAttempts.ShouldBe(2);
        retries.For(MethodOf("a.S", "N"))!.MaxAttempts.ShouldBe(3);
        retries.For(MethodOf("b.S", "M"))!.MaxAttempts.ShouldBe(4);
        new MethodRetries(new GrpcChannelOptions()).For(MethodOf("a.S", "M")).ShouldBeNull();
    }

    [Fact]
    public void Channels_own_limit_goes_before_the_policys()
    {
        var config = new ServiceConfig();
        Add(config, 100, MethodName.Default);

        new MethodRetries(new GrpcChannelOptions { ServiceConfig = config }).For(MethodOf("a", "b"))!
            .MaxAttempts.ShouldBe(5);
        new MethodRetries(new GrpcChannelOptions { ServiceConfig = config, MaxRetryAttempts = 7 })
            .For(MethodOf("a", "b"))!.MaxAttempts.ShouldBe(7);
    }

    [Fact]
    public void Config_that_says_too_little_or_twice_is_refused()
    {
        var twice = new ServiceConfig();
        Add(twice, 2, new MethodName { Service = "a" }, new MethodName { Service = "a" });
        var lost = new ServiceConfig();
        Add(lost, 2, new MethodName { Method = "M" });
        var once = new ServiceConfig();
        Add(once, 1, MethodName.Default);
        var empty = new ServiceConfig();
        empty.MethodConfigs.Add(new MethodConfig { Names = { MethodName.Default }, RetryPolicy = new RetryPolicy() });
        var free = new ServiceConfig { RetryThrottling = new RetryThrottlingPolicy() };

        foreach (var config in (ServiceConfig[])[twice, lost, once, empty, free])
        {
            Should.Throw<InvalidOperationException>(() => GrpcChannel.ForAddress(
                "http://localhost", new GrpcChannelOptions { ServiceConfig = config }));
        }
    }

    static Method<string, string> MethodOf(string service, string name) => new(
        MethodType.Unary, service, name, Marshallers.StringMarshaller, Marshallers.StringMarshaller);

    static void Add(ServiceConfig config, int attempts, params MethodName[] names)
    {
        var method = new MethodConfig
        {
            RetryPolicy = new RetryPolicy
            {
                MaxAttempts = attempts,
                InitialBackoff = TimeSpan.FromMilliseconds(1),
                MaxBackoff = TimeSpan.FromMilliseconds(1),
                BackoffMultiplier = 1,
                RetryableStatusCodes = { StatusCode.Unavailable },
            },
        };
        foreach (var name in names)
            method.Names.Add(name);
        config.MethodConfigs.Add(method);
    }
}
