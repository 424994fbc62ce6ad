using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Status = Google.Rpc.Status;

namespace Hexcast.Grpc.Tests;

public sealed class RichStatusTests
{
    static readonly Status TooMany = new()
    {
        Code = (int)StatusCode.ResourceExhausted,
        Message = "Wait a little 🎬.",
        Details =
        {
            Any.Pack(new ErrorInfo { Reason = "TOO_MANY", Domain = "hexcast", Metadata = { ["limit"] = "100" } }),
            Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1500)) }),
        },
    };

    [Theory]
    [InlineData(Wiring.Tcp)]
    [InlineData(Wiring.InMemory)]
    internal async Task Details_that_a_service_throws_reach_its_caller(Wiring wiring)
    {
        await using var host = await ProbeHost.StartAsync(
            wiring, new ProbeHandlers { Unary = (_, _) => throw TooMany.ToRpcException() });

        var failure = await Should.ThrowAsync<RpcException>(
            () => host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync);

        failure.StatusCode.ShouldBe(StatusCode.ResourceExhausted);
        failure.Status.Detail.ShouldBe("Wait a little 🎬.");
        var status = failure.GetRpcStatus().ShouldNotBeNull();
        status.ShouldBe(TooMany);
        status.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan().ShouldBe(TimeSpan.FromMilliseconds(1500));
        status.GetDetail<ErrorInfo>()!.Metadata["limit"].ShouldBe("100");
        status.GetDetail<BadRequest>().ShouldBeNull();
    }

    [Fact]
    public void A_status_set_twice_is_there_once()
    {
        var trailers = new Metadata { { "other", "kept" } };
        trailers.SetRpcStatus(new Status { Code = 5 });
        trailers.SetRpcStatus(TooMany);

        trailers.Count.ShouldBe(2);
        trailers.GetRpcStatus().ShouldBe(TooMany);
    }

    [Fact]
    public void Bytes_that_are_no_status_are_an_error_or_nothing_as_the_caller_wishes()
    {
        var failure = new RpcException(
            global::Grpc.Core.Status.DefaultCancelled,
            new Metadata { { RpcStatusExtensions.StatusDetailsTrailerName, [0xff, 0xff, 0xff] } });

        Should.Throw<InvalidProtocolBufferException>(() => failure.GetRpcStatus());
        failure.GetRpcStatus(ignoreParseError: true).ShouldBeNull();
        new RpcException(global::Grpc.Core.Status.DefaultCancelled).GetRpcStatus().ShouldBeNull();
    }
}
