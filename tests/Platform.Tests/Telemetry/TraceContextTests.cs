using System.Diagnostics;
using Hexcast.Grpc;
using Hexcast.Platform.Logging;
using Hexcast.Platform.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Tests.Telemetry;

public sealed class TraceContextTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string Span = "b7ad6b7169203331";

    [Theory]
    [InlineData(true, "traceparent", $"00-{Trace}-{Span}-01")]
    [InlineData(true, "b3", $"{Trace}-{Span}-1")]
    [InlineData(true, "b3", $"{Trace}-{Span}")]
    [InlineData(true, "b3", $"{Trace}-{Span}-d-05e3ac9a4f6e3b90")]
    [InlineData(false, "traceparent", $"00-{Trace}-{Span}-00")]
    [InlineData(false, "b3", $"{Trace}-{Span}-0")]
    public void A_clients_context_is_understood(bool recorded, string header, string value)
    {
        var context = TraceHeaders.Read(new HeaderDictionary { [header] = value });
        context.TraceId.ToHexString().ShouldBe(Trace);
        context.SpanId.ToHexString().ShouldBe(Span);
        context.TraceFlags.ShouldBe(recorded ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None);
        context.IsRemote.ShouldBeTrue();
    }

    [Theory]
    [InlineData("traceparent", "00-00000000000000000000000000000000-0000000000000000-01")]
    [InlineData("traceparent", "garbage")]
    [InlineData("traceparent", "")]
    [InlineData("b3", "0")]
    [InlineData("b3", $"{Trace}")]
    [InlineData("b3", $"{Trace}g-{Span}")]
    [InlineData("b3", "00000000000000000000000000000000-0000000000000000-1")]
    [InlineData("X-B3-TraceId", Trace)]
    public void What_is_no_context_begins_a_new_trace(string header, string value) =>
        TraceHeaders.Read(new HeaderDictionary { [header] = value }).IsValid().ShouldBeFalse();

    [Fact]
    public void B3_of_several_headers_and_64_bits_is_padded()
    {
        var context = TraceHeaders.Read(new HeaderDictionary { ["X-B3-TraceId"] = Span, ["X-B3-SpanId"] = Span });
        context.TraceId.ToHexString().ShouldBe(Span.PadLeft(32, '0'));
    }

    [Theory]
    [InlineData("GET /a?x=1&token=abc.def HTTP", "GET /a?x=1&token=[redacted] HTTP")]
    [InlineData("cookie hexcast_session=abcdef; theme=dark", "cookie hexcast_session=[redacted]; theme=dark")]
    [InlineData("https://me:secret@host/x", "https://[redacted]@host/x")]
    [InlineData("the key hxc_0123-ab is used", "the key [redacted] is used")]
    [InlineData("at http://127.0.0.1:4318/", "at http://127.0.0.1:4318/")]
    public void Credentials_are_taken_out_of_texts(string text, string expected) =>
        Redaction.Apply(text).ShouldBe(expected);

    [Fact]
    public void Options_are_shown_without_their_secrets()
    {
        var shown = Vars.Values(new TelemetryOptions
        {
            OtlpHeaders = "x-api-key=abc", OtlpEndpoint = "http://me:pass@host:4318",
        });
        shown["OtlpHeaders"].ShouldBe("[redacted]");
        shown["OtlpEndpoint"].ShouldBe("http://[redacted]@host:4318");
        shown["SampleRatio"].ShouldBe(1d);
        shown["MetricsAccess"].ShouldBe("Loopback");
    }
}
