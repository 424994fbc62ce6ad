using Grpc.Core;

namespace Hexcast.Grpc.Tests;

public sealed class TcpMetadataAndStatusTests() : MetadataAndStatusTests(Wiring.Tcp);

public sealed class TlsMetadataAndStatusTests() : MetadataAndStatusTests(Wiring.Tls);

public sealed class InMemoryMetadataAndStatusTests() : MetadataAndStatusTests(Wiring.InMemory);

/// <summary>What travels beside the messages: metadata, trailers, statuses.</summary>
public abstract class MetadataAndStatusTests
{
    static readonly byte[] Bytes = [0, 1, 2, 253, 254, 255, 10];

    readonly Wiring _wiring;

    private protected MetadataAndStatusTests(Wiring wiring) => _wiring = wiring;

    [Fact]
    public async Task Metadata_of_text_and_bytes_reaches_the_server()
    {
        Metadata? received = null;
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, context) =>
            {
                received = context.RequestHeaders;
                return Task.FromResult(new ProbeReply());
            },
        });

        var headers = new Metadata
        {
            { "X-Text", "some ~text!" }, { "x-bytes-bin", Bytes }, { "x-empty-bin", [] }, { "x-twice", "a" },
            { "x-twice", "b" },
        };
        await host.Client.UnaryAsync(new ProbeRequest(), headers).ResponseAsync.Within();

        received.ShouldNotBeNull();
        received.GetValue("x-text").ShouldBe("some ~text!");
        received.GetValueBytes("x-bytes-bin").ShouldBe(Bytes);
        received.GetValueBytes("x-empty-bin").ShouldBe([]);
        string.Join(",", received.GetAll("x-twice").Select(entry => entry.Value)).Replace(" ", "").ShouldBe("a,b");
        received.ShouldNotContain(entry => entry.Key == "te" || entry.Key == "content-type"
            || entry.Key.StartsWith("grpc-"));
    }

    [Fact]
    public async Task Response_headers_and_trailers_reach_the_client()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = async (_, context) =>
            {
                await context.WriteResponseHeadersAsync(
                    new Metadata { { "x-head", "h" }, { "x-head-bin", Bytes } });
                context.ResponseTrailers.Add("x-tail", "t");
                context.ResponseTrailers.Add("x-tail-bin", Bytes);
                return new ProbeReply();
            },
        });

        using var call = host.Client.UnaryAsync(new ProbeRequest());
        await call.ResponseAsync.Within();

        var headers = await call.ResponseHeadersAsync.Within();
        headers.GetValue("x-head").ShouldBe("h");
        headers.GetValueBytes("x-head-bin").ShouldBe(Bytes);
        call.GetTrailers().GetValue("x-tail").ShouldBe("t");
        call.GetTrailers().GetValueBytes("x-tail-bin").ShouldBe(Bytes);
        call.GetTrailers().ShouldNotContain(entry => entry.Key == "grpc-status");
    }

    [Fact]
    public async Task Response_headers_arrive_while_the_call_still_runs()
    {
        var release = new TaskCompletionSource();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Download = async (_, _, context) =>
            {
                await context.WriteResponseHeadersAsync(new Metadata { { "x-early", "yes" } });
                await release.Task;
            },
        });

        using var call = host.Client.Download(new ProbeRequest());
        (await call.ResponseHeadersAsync.Within()).GetValue("x-early").ShouldBe("yes");
        Should.Throw<InvalidOperationException>(() => call.GetStatus());
        Should.Throw<InvalidOperationException>(() => call.GetTrailers());

        release.SetResult();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeFalse();
        call.GetStatus().StatusCode.ShouldBe(StatusCode.OK);
    }

    [Theory]
    [InlineData("plain words")]
    [InlineData("100 % of \"it\"\r\nwas lost\t")]
    [InlineData("Größe überschritten – 動画が壊れています 🎬")]
    [InlineData("")]
    public async Task Thrown_status_reaches_the_client_with_its_words_and_trailers(string detail)
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, context) =>
            {
                context.ResponseTrailers.Add("x-of-context", "1");
                throw new RpcException(
                    new Status(StatusCode.NotFound, detail), new Metadata { { "x-of-exception-bin", Bytes } });
            },
        });

        using var call = host.Client.UnaryAsync(new ProbeRequest());
        var error = await ErrorOf(call.ResponseAsync);

        error.Status.ShouldBe(new Status(StatusCode.NotFound, detail));
        error.Trailers.GetValueBytes("x-of-exception-bin").ShouldBe(Bytes);
        error.Trailers.GetValue("x-of-context").ShouldBe("1");
        call.GetStatus().ShouldBe(error.Status);
        host.Log.ShouldBeEmpty();
    }

    [Fact]
    public async Task Status_after_messages_comes_when_they_are_read()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Download = async (_, responses, _) =>
            {
                await responses.WriteAsync(new ProbeReply { Count = 1 });
                await responses.WriteAsync(new ProbeReply { Count = 2 });
                throw new RpcException(new Status(StatusCode.DataLoss, "the rest is gone"));
            },
        });

        using var call = host.Client.Download(new ProbeRequest());
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        call.ResponseStream.Current.Count.ShouldBe(2);

        (await ErrorOf(call.ResponseStream.MoveNext())).Status
            .ShouldBe(new Status(StatusCode.DataLoss, "the rest is gone"));
    }

    [Fact]
    public async Task Status_set_on_the_context_ends_the_call_without_a_message()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, context) =>
            {
                context.Status = new Status(StatusCode.Aborted, "set");
                return Task.FromResult(new ProbeReply());
            },
        });

        (await ErrorOf(host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync)).Status
            .ShouldBe(new Status(StatusCode.Aborted, "set"));
    }

    [Fact]
    public async Task Error_before_any_message_is_sent_as_trailers_only()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, _) => throw new RpcException(new Status(StatusCode.NotFound, "é")),
        });
        using var http = host.CreateHttpClient();

        using var response = await http.SendAsync(
            Raw.Call("/hexcast.probe.Probe/Unary", Raw.Frame(new ProbeRequest()))).Within();

        response.Headers.GetValues("grpc-status").ShouldBe(["5"]);
        response.Headers.GetValues("grpc-message").ShouldBe(["%C3%A9"]);
        response.TrailingHeaders.ShouldBeEmpty();
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/grpc");
    }

    [Fact]
    public async Task Very_long_words_are_cut_instead_of_breaking_the_call()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, _) => throw new RpcException(new Status(StatusCode.Internal, new string('ä', 100_000))),
        });

        var error = await ErrorOf(host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync);

        error.StatusCode.ShouldBe(StatusCode.Internal);
        error.Status.Detail.ShouldStartWith("ääää");
        error.Status.Detail.Length.ShouldBeLessThan(4096);
    }

    [Fact]
    public async Task Metadata_that_no_header_can_hold_is_refused_with_advice()
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring, new ProbeHandlers { Unary = (_, _) => Task.FromResult(new ProbeReply()) });

        var error = await ErrorOf(
            host.Client.UnaryAsync(new ProbeRequest(), new Metadata { { "x-name", "Zoë\n" } }).ResponseAsync);

        error.Status.DebugException!.Message.ShouldContain("x-name-bin");
    }

    [Fact]
    public async Task Trailers_that_no_header_can_hold_are_the_methods_mistake()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, context) =>
            {
                context.ResponseTrailers.Add("x-name", "Zoë");
                return Task.FromResult(new ProbeReply());
            },
        });

        (await ErrorOf(host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync)).StatusCode
            .ShouldBe(StatusCode.Unknown);
        host.Log.Count.ShouldBe(1);
    }

    static async Task<RpcException> ErrorOf(Task task) =>
        (await Record.ExceptionAsync(() => task.Within())).ShouldBeOfType<RpcException>();
}
