using System.CommandLine;
using System.Net;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Tls;

namespace Hexcast.App.Cli;

/// <summary>Which node is asked: that of the data folder, or another one of its cluster.</summary>
internal sealed class NodeReach
{
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(15);

    private readonly Option<string> data = new("--data")
    {
        Description = "Data folder of a node on this machine: its certificate is shown.",
        DefaultValueFactory = _ => NodeOptions.DefaultData,
    };

    private readonly Option<IPEndPoint?> grpc = new("--grpc")
    {
        Description = "gRPC address of the node that is asked. Without it the one of the data folder.",
        HelpName = "ADDRESS:PORT",
        CustomParser = given => IPEndPoint.TryParse(given.Tokens[0].Value, out var address) ? address : Fail(given),
    };

    public void AddTo(Command command)
    {
        command.Add(data);
        command.Add(grpc);
    }

    /// <summary>Who asks; null: a node without a cluster.</summary>
    public ClusterIdentity? Identity(ParseResult parsed) =>
        ClusterIdentity.Find(Path.GetFullPath(parsed.GetValue(data)!));

    /// <exception cref="CliException">It does not answer, or refuses.</exception>
    public async Task<T> AskAsync<T>(
        ParseResult parsed, TimeProvider clock,
        Func<Membership.MembershipClient, CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancel)
    {
        var identity = Identity(parsed);
        var address = parsed.GetValue(grpc)?.ToString() ?? identity?.Address ?? "127.0.0.1:8081";
        using var channel = NodeChannels.Of(identity, clock).Open(address);
        var options = new CallOptions(
            deadline: clock.GetUtcNow().UtcDateTime + AnswerTime, cancellationToken: cancel);
        try
        {
            return await call(new Membership.MembershipClient(channel.CreateCallInvoker()), options);
        }
        catch (RpcException refused)
        {
            throw new CliException(
                IsSilent(refused.Status) ? ExitCode.NoServer
                    : refused.StatusCode == StatusCode.NotFound ? ExitCode.NotFound : ExitCode.Failed,
                IsSilent(refused.Status)
                    ? $"the node at {address} does not answer: {refused.Status.Detail}"
                    : refused.Status.Detail,
                refused);
        }
    }

    // A status that has come over the wire has no exception: the node did answer, that something else does not.
    private static bool IsSilent(Status status) => status.StatusCode == StatusCode.DeadlineExceeded
        || status is { StatusCode: StatusCode.Unavailable, DebugException: not null };

    private static IPEndPoint? Fail(System.CommandLine.Parsing.ArgumentResult given)
    {
        given.AddError($"--grpc {given.Tokens[0].Value}: give ADDRESS:PORT.");
        return null;
    }
}
