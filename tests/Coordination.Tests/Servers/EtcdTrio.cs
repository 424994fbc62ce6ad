using System.Diagnostics;
using Grpc.Core;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Client.Members;
using Hexcast.Harness;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>All who use the one cluster of three: a test may take its members away, and no other runs meanwhile.
/// </summary>
[CollectionDefinition(nameof(EtcdTrio))]
public sealed class EtcdTrioCollection : ICollectionFixture<EtcdTrio>;

/// <summary>
/// A real etcd of three members, as somebody who cares runs it: TLS, certificates of clients, users with passwords.
/// Members can be killed, be paused and be cut off from each other; each test leaves them all serving.
/// </summary>
public sealed class EtcdTrio : CoordinatorServer
{
    public const string Password = "correct horse";

    private readonly TemporaryFolder folder = new();
    private readonly TestAuthority authority;
    private readonly TestAuthority strangers;
    private readonly List<PeerGate> gates = [];
    private readonly (string Certificate, string Key) root;
    private MembersClient? client;

    public EtcdTrio()
    {
        authority = new TestAuthority(folder.Path, "authority");
        strangers = new TestAuthority(folder.Path, "strangers");
        root = authority.Client("root");
    }

    public IReadOnlyList<EtcdMember> Members { get; private set; } = [];

    public string Folder => folder.Path;

    /// <summary>One that etcd does not know.</summary>
    internal TestAuthority Strangers => strangers;

    internal TestAuthority Authority => authority;

    public override int MemberCount => 3;

    public override CallInvoker Invoker => client!.Invoker;

    public override IReadOnlyDictionary<string, string> EtcdctlSettings => new Dictionary<string, string>
    {
        ["ETCDCTL_CACERT"] = authority.AuthorityFile,
        ["ETCDCTL_CERT"] = root.Certificate,
        ["ETCDCTL_KEY"] = root.Key,
        ["ETCDCTL_USER"] = $"root:{Password}",
    };

    /// <summary>How a node with a certificate and the user hexcast, who may use /hexcast/, gets in.</summary>
    internal CoordinationOptions Options(string user = "hexcast") => new()
    {
        Mode = CoordinationMode.Etcd,
        Endpoints = [.. Members.Select(member => member.Address)],
        AuthorityFile = authority.AuthorityFile,
        CertificateFile = root.Certificate,
        KeyFile = root.Key,
        User = user,
        Password = Password,
    };

    /// <summary>The member that leads the others.</summary>
    public async Task<EtcdMember> LeaderAsync()
    {
        var leads = (await EtcdctlAsync("endpoint", "status")).Split('\n')
            .Single(line => line.Contains(", true, false, ", StringComparison.Ordinal));
        return Members.Single(member => leads.StartsWith(member.Address, StringComparison.Ordinal));
    }

    /// <summary>What the member and the others send each other is lost from now on.</summary>
    public void CutOff(EtcdMember member)
    {
        for (var i = 0; i < Members.Count; i++)
        {
            gates[i].Cut(Members[i] == member
                ? Members.Where(other => other != member).Select(other => other.ProcessId) : [member.ProcessId]);
        }
    }

    /// <summary>All members serve again, whatever was done to them.</summary>
    public async Task HealAsync()
    {
        gates.ForEach(gate => gate.Heal());
        foreach (var member in Members)
        {
            if (member.IsRunning)
            {
                await member.ContinueAsync();
            }
            else
            {
                member.Start();
            }
        }

        foreach (var member in Members)
        {
            await member.WaitUntilHealthyAsync();
        }
    }

    public async Task<string> EtcdctlAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/etcdctl", arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ETCDCTL_API"] = "3";
        start.Environment["ETCDCTL_ENDPOINTS"] = string.Join(',', Members.Select(member => member.Address));
        foreach (var (name, value) in EtcdctlSettings)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await errors);
        return (await output).Trim();
    }

    protected override async Task StartAsync()
    {
        var server = authority.Server("etcd");
        Members = await EtcdMember.StartAsync(
            folder.Path, members: 3,
            [
                "--cert-file", server.Certificate, "--key-file", server.Key,
                "--trusted-ca-file", authority.AuthorityFile, "--client-cert-auth",
                // Hashing passwords as slowly as is usual would take most of these tests' time.
                "--bcrypt-cost", "4",
            ],
            through: Guard);
        Address = string.Join(',', Members.Select(member => member.Address));
        await EtcdctlAsync("user", "add", $"root:{Password}");
        await EtcdctlAsync("user", "add", $"hexcast:{Password}");
        await EtcdctlAsync("user", "add", $"nobody:{Password}");
        await EtcdctlAsync("role", "add", "hexcast");
        await EtcdctlAsync("role", "grant-permission", "hexcast", "readwrite", "--prefix=true", "/hexcast/");
        await EtcdctlAsync("user", "grant-role", "hexcast", "hexcast");
        await EtcdctlAsync("user", "grant-role", "root", "root");
        await EtcdctlAsync("auth", "enable");
        client = new MembersClient(Options("root"));
    }

    protected override async Task StopAsync()
    {
        if (client is not null)
        {
            await client.DisposeAsync();
        }

        foreach (var member in Members)
        {
            await member.DisposeAsync();
        }

        foreach (var gate in gates)
        {
            await gate.DisposeAsync();
        }

        authority.Dispose();
        strangers.Dispose();
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
