using System.Diagnostics;
using Hexcast.Coordination.Tests.Servers;

namespace Hexcast.Coordination.Tests.Conformance;

public sealed class EtcdEtcdctlTests(EtcdServer server) : EtcdctlConformance(server), IClassFixture<EtcdServer>;

public sealed class EmbeddedEtcdctlTests(EmbeddedServer server)
    : EtcdctlConformance(server), IClassFixture<EmbeddedServer>;

public sealed class GroupEtcdctlTests(GroupServer server) : EtcdctlConformance(server), IClassFixture<GroupServer>;

/// <summary>etcd's own command line works on both.</summary>
public abstract class EtcdctlConformance(CoordinatorServer server) : ConformanceSuite(server)
{
    private const string Executable = "/usr/bin/etcdctl";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Etcdctl_reads_and_writes()
    {
        (await Etcdctl("put", Prefix + "a", "1")).ShouldBe("OK");
        (await Etcdctl("put", Prefix + "b", "2")).ShouldBe("OK");
        (await Etcdctl("get", "--prefix", Prefix)).ShouldBe($"{Prefix}a\n1\n{Prefix}b\n2");
        (await Etcdctl("get", "--print-value-only", "--prefix", "--order=DESCEND", Prefix)).ShouldBe("2\n1");
        (await Etcdctl("del", "--prev-kv", Prefix + "a")).ShouldBe($"1\n{Prefix}a\n1");
        (await Etcdctl("get", Prefix + "a")).ShouldBe("");
    }

    [Fact]
    public async Task Etcdctl_runs_transactions()
    {
        await Etcdctl("put", Prefix + "key", "old");
        var script = $"""
            value("{Prefix}key") = "old"

            put "{Prefix}key" "new"
            get "{Prefix}key"

            put "{Prefix}key" "wrong"


            """;
        (await EtcdctlWith(script, "txn")).ShouldStartWith("SUCCESS");
        (await Etcdctl("get", "--print-value-only", Prefix + "key")).ShouldBe("new");
    }

    [Fact]
    public async Task Etcdctl_grants_keeps_and_revokes_leases()
    {
        var granted = await Etcdctl("lease", "grant", "100");
        var id = granted.Split(' ')[1];
        granted.ShouldBe($"lease {id} granted with TTL(100s)");
        await Etcdctl("put", $"--lease={id}", Prefix + "leased", "x");
        (await Etcdctl("lease", "timetolive", "--keys", id)).ShouldContain($"attached keys([{Prefix}leased])");
        (await Etcdctl("lease", "keep-alive", "--once", id)).ShouldBe($"lease {id} keepalived with TTL(100)");
        (await Etcdctl("lease", "list")).ShouldContain(id);
        (await Etcdctl("lease", "revoke", id)).ShouldBe($"lease {id} revoked");
        (await Etcdctl("get", Prefix + "leased")).ShouldBe("");
    }

    [Fact]
    public async Task Etcdctl_watches()
    {
        using var watch = Start("watch", "--prefix", Prefix);
        using var limit = new CancellationTokenSource(Limit);
        var lines = new List<string>();
        // Whether the watch stands yet cannot be seen from outside: write until it shows something.
        var reading = watch.StandardOutput.ReadLineAsync(limit.Token).AsTask();
        while (!reading.IsCompleted)
        {
            await Put("key", "value");
        }
        lines.Add((await reading)!);
        lines.Add((await watch.StandardOutput.ReadLineAsync(limit.Token))!);
        lines.Add((await watch.StandardOutput.ReadLineAsync(limit.Token))!);
        watch.Kill();
        lines.ShouldBe(["PUT", Prefix + "key", "value"]);
    }

    [Fact]
    public async Task Etcdctl_compacts_and_shows_status_and_members()
    {
        await Put("key", "1");
        var second = await Put("key", "2");
        (await Etcdctl("compaction", $"{second}")).ShouldBe($"compacted revision {second}");
        (await Etcdctl("endpoint", "status")).ShouldContain(", 3.4.");
        (await Etcdctl("endpoint", "status", "--cluster")).ShouldContain(", true, false, ");
        (await Etcdctl("member", "list")).ShouldContain("started, node-1");
    }

    private Task<string> Etcdctl(params string[] arguments) => EtcdctlWith(input: "", arguments);

    private async Task<string> EtcdctlWith(string input, params string[] arguments)
    {
        using var process = Start(arguments);
        using var limit = new CancellationTokenSource(Limit);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        process.ExitCode.ShouldBe(0, await errors);
        return (await output).Trim();
    }

    private Process Start(params string[] arguments)
    {
        if (!File.Exists(Executable))
        {
            throw new InvalidOperationException($"{Executable} is missing: apt-get install etcd-client");
        }
        var start = new ProcessStartInfo(Executable, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ETCDCTL_API"] = "3";
        start.Environment["ETCDCTL_ENDPOINTS"] = Server.Address["http://".Length..];
        return Process.Start(start)!;
    }
}
