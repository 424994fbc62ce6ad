using Grpc.Core;

namespace Hexcast.Grpc.Tests;

/// <summary>What the server does in one test; a kind of call that a test does not set stays unimplemented.</summary>
sealed class ProbeHandlers
{
    public UnaryServerMethod<ProbeRequest, ProbeReply>? Unary { get; set; }

    public ServerStreamingServerMethod<ProbeRequest, ProbeReply>? Download { get; set; }

    public ClientStreamingServerMethod<ProbeRequest, ProbeReply>? Upload { get; set; }

    public DuplexStreamingServerMethod<ProbeRequest, ProbeReply>? Talk { get; set; }
}

sealed class ProbeService(ProbeHandlers handlers) : Probe.ProbeBase
{
    public override Task<ProbeReply> Unary(ProbeRequest request, ServerCallContext context) =>
        handlers.Unary is { } handler ? handler(request, context) : base.Unary(request, context);

    public override Task Download(
        ProbeRequest request, IServerStreamWriter<ProbeReply> responseStream, ServerCallContext context) =>
        handlers.Download is { } handler
            ? handler(request, responseStream, context)
            : base.Download(request, responseStream, context);

    public override Task<ProbeReply> Upload(
        IAsyncStreamReader<ProbeRequest> requestStream, ServerCallContext context) =>
        handlers.Upload is { } handler ? handler(requestStream, context) : base.Upload(requestStream, context);

    public override Task Talk(
        IAsyncStreamReader<ProbeRequest> requestStream,
        IServerStreamWriter<ProbeReply> responseStream,
        ServerCallContext context) =>
        handlers.Talk is { } handler
            ? handler(requestStream, responseStream, context)
            : base.Talk(requestStream, responseStream, context);
}
