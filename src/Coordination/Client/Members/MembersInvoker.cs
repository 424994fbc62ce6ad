using Grpc.Core;

namespace Hexcast.Coordination.Client.Members;

/// <summary>
/// Calls to the member in use, as the user who has logged in. Calls are not made twice, but for one that was refused
/// for its token: that one has done nothing.
/// </summary>
internal sealed class MembersInvoker(CoordinatorMembers members, EtcdLogin login) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        AsyncUnaryCall(method, host, options, request).GetAwaiter().GetResult();

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        // Ended by the caller's token or its deadline, not by disposal.
        var response = CallAsync(method, host, options, request);
        return new AsyncUnaryCall<TResponse>(
            response, Task.FromException<Metadata>(OnlyResponses()), () => throw OnlyResponses(),
            () => throw OnlyResponses(), () => { });
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        members.Link.Invoker.AsyncServerStreamingCall(method, host, EtcdLogin.With(options, login.Token), request);

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        members.Link.Invoker.AsyncClientStreamingCall(method, host, EtcdLogin.With(options, login.Token));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        members.Link.Invoker.AsyncDuplexStreamingCall(method, host, EtcdLogin.With(options, login.Token));

    private async Task<TResponse> CallAsync<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        where TRequest : class
        where TResponse : class
    {
        var link = await members.LinkAsync(options.CancellationToken);
        var token = login.Token;
        try
        {
            try
            {
                return await link.Invoker.AsyncUnaryCall(method, host, EtcdLogin.With(options, token), request);
            }
            catch (RpcException refused) when (EtcdLogin.IsStale(CoordinatorErrors.Translate(refused).Error))
            {
                if (!await login.RenewAsync(link, token, options.CancellationToken))
                {
                    throw;
                }

                return await link.Invoker.AsyncUnaryCall(
                    method, host, EtcdLogin.With(options, login.Token), request);
            }
        }
        catch (RpcException failed) when (failed.StatusCode is StatusCode.Unavailable or StatusCode.Cancelled)
        {
            members.Doubt();
            options.CancellationToken.ThrowIfCancellationRequested();
            throw CoordinatorErrors.AsCall(link.NameOf(failed));
        }
        catch (CoordinatorException refused)
        {
            throw CoordinatorErrors.AsCall(refused);
        }
        catch (ObjectDisposedException) when (link.IsGivenUp)
        {
            throw CoordinatorErrors.AsCall(new CoordinatorException(
                CoordinatorError.Unavailable, $"{link.Member} was given up: it did not answer any more."));
        }
    }

    private static NotSupportedException OnlyResponses() =>
        new("A call over several members has no headers, status or trailers to look at; its failure has a status.");
}
