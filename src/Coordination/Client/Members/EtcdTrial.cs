using Grpc.Core;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Client.Members;

/// <summary>Whether a node would be let in, by each of etcd's members; nothing is written.</summary>
internal static class EtcdTrial
{
    private const string Everything = "/hexcast/";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <returns>What is wrong, in words.</returns>
    public static async Task<IReadOnlyList<string>> ProblemsAsync(
        CoordinationOptions options, TimeProvider clock, CancellationToken cancel)
    {
        var access = new EtcdAccess(options, clock);
        using var login = new EtcdLogin(options.User, access.Password, clock);
        var answers = await Task.WhenAll(options.Endpoints.Select(TryAsync));
        return [.. answers.OfType<string>().Select(problem => $"Coordination: {problem}").Distinct()];

        async Task<string?> TryAsync(string member)
        {
            try
            {
                using var link = access.Open(member, () => { });
                return await AskAsync(link);
            }
            catch (CoordinatorException unusable)
            {
                return unusable.Message;
            }
        }

        async Task<string?> AskAsync(MemberLink link)
        {
            try
            {
                if (login.IsDue)
                {
                    await login.RenewAsync(link, refused: null, cancel);
                }

                var call = new CallOptions(deadline: clock.GetUtcNow().UtcDateTime + Limit, cancellationToken: cancel);
                await new KV.KVClient(link.Invoker).TxnAsync(WriteNothing(), EtcdLogin.With(call, login.Token));
                return null;
            }
            catch (RpcException refused)
            {
                var named = link.NameOf(refused);
                return named.Error == CoordinatorError.PermissionDenied
                    ? $"{link.Member}: {Who(options)} may not read and write everything under {Everything}: "
                        + $"etcdctl role grant-permission ROLE readwrite --prefix=true {Everything}"
                    : named.Message;
            }
        }
    }

    // Whether it may be done is asked before whether its guards hold, and these never do.
    private static TxnRequest WriteNothing()
    {
        var (key, end) = KeyBytes.Prefix(Everything);
        var request = new TxnRequest();
        request.Compare.Add(Compare.Missing(Everything).Message);
        request.Compare.Add(Compare.Exists(Everything).Message);
        request.Success.Add(new RequestOp { RequestRange = new RangeRequest { Key = key, RangeEnd = end, Limit = 1 } });
        var write = new DeleteRangeRequest { Key = key, RangeEnd = end };
        request.Success.Add(new RequestOp { RequestDeleteRange = write });
        return request;
    }

    private static string Who(CoordinationOptions options) =>
        options.User.Length > 0 ? $"the user '{options.User}'" : "whom the certificate names";
}
