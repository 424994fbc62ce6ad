using Grpc.Core;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Client.Members;
using Hexcast.Harness;
using Hexcast.Platform.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>All who use the one cluster of three: a test may take its members away, and no other runs meanwhile.
/// </summary>
[CollectionDefinition(nameof(EtcdTrio))]
public sealed class EtcdTrioCollection : ICollectionFixture<EtcdTrio>;

/// <summary>Members can be killed, be paused and be cut off from each other; each test leaves them all serving.
/// </summary>
public sealed class EtcdTrio : CoordinatorServer
{
    public const string Password = SecureEtcd.Password;

    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(5);

    private readonly TemporaryFolder folder = new();
    private readonly List<PeerGate> gates = [];
    private SecureEtcd? etcd;
    private CertificateAuthority? strangers;
    private MembersClient? client;

    public IReadOnlyList<EtcdMember> Members => etcd?.Members ?? [];

    public string Folder => folder.Path;

    /// <summary>One that etcd does not know.</summary>
    public CertificateAuthority Strangers => strangers!;

    public CertificateAuthority Authority => etcd!.Authority;

    public override int MemberCount => 3;

    /// <summary>No etcd 3.4 can: the member that is asked refuses the transaction, and the others, who leave its reads
    /// out, make it (etcd's issue 18667).</summary>
    public override bool CanReadRevisionsInTransactions => false;

    public override CallInvoker Invoker => client!.Invoker;

    /// <summary>How a node gets in with a certificate and as the user hexcast, who may use /hexcast/.</summary>
    internal CoordinationOptions Options(string user = "hexcast") =>
        OptionsBinder.Bind<CoordinationOptions>(Configuration(user), "Coordination");

    public IConfiguration Configuration(string user) => new ConfigurationBuilder()
        .AddInMemoryCollection(etcd!.Settings(user).Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
        .Build();

    public Task<EtcdMember> LeaderAsync() => etcd!.LeaderAsync();

    public Task<string> EtcdctlAsync(params string[] arguments) => etcd!.EtcdctlAsync(arguments);

    /// <summary>What the member and the others send each other is lost from now on.</summary>
    public void CutOff(EtcdMember member)
    {
        for (var i = 0; i < Members.Count; i++)
        {
            gates[i].Cut(Members[i] == member
                ? Members.Where(other => other != member).Select(other => other.ProcessId) : [member.ProcessId]);
        }
    }

    /// <summary>All members serve again, whatever was done to them, and hold the same.</summary>
    public async Task HealAsync()
    {
        gates.ForEach(gate => gate.Heal());
        await etcd!.HealAsync();
        await etcd.CheckAgreementAsync();
    }

    protected override async Task StartAsync()
    {
        etcd = await SecureEtcd.StartAsync(folder.Path, through: Guard, SecureEtcd.WithChecks(CheckInterval));
        strangers = new CertificateAuthority(folder.Path, "strangers");
        Address = etcd.Etcdctl["ETCDCTL_ENDPOINTS"];
        client = new MembersClient(Options("root"));
    }

    protected override async Task StopAsync()
    {
        if (client is not null)
        {
            await client.DisposeAsync();
        }

        if (etcd is not null)
        {
            await using (etcd)
            {
                await etcd.CheckAgreementAsync();
            }
        }

        foreach (var gate in gates)
        {
            await gate.DisposeAsync();
        }

        strangers?.Dispose();
        folder.Dispose();
    }

    private int Guard(int port)
    {
        var gate = new PeerGate(port, () => [.. Members.Where(member => member.IsRunning).Select(m => m.ProcessId)]);
        gates.Add(gate);
        return gate.Port;
    }
}

/// <summary>A client over all members, as a node has it.</summary>
internal sealed class MembersClient : IAsyncDisposable
{
    private readonly EtcdLogin login;
    private readonly CoordinatorMembers members;

    public MembersClient(CoordinationOptions options)
    {
        var access = new EtcdAccess(options, TimeProvider.System);
        login = new EtcdLogin(options.User, access.Password, TimeProvider.System);
        members = new CoordinatorMembers(
            options.Endpoints, access.Open, login, TimeProvider.System, NullLogger<CoordinatorMembers>.Instance);
        Invoker = new MembersInvoker(members, login);
        Client = new CoordinatorClient(Invoker, TimeProvider.System);
        members.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
    }

    public CallInvoker Invoker { get; }

    public CoordinatorClient Client { get; }

    /// <summary>The member that is used now.</summary>
    public string Member => members.Link.Member;

    public async ValueTask DisposeAsync()
    {
        await members.StopAsync(CancellationToken.None);
        members.Dispose();
        login.Dispose();
    }
}
