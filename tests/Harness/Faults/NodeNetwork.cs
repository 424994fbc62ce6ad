using System.Diagnostics;
using System.Globalization;

namespace Hexcast.Harness.Faults;

/// <summary>
/// Hosts of their own on one machine: a network namespace each, on one bridge with this process. What goes from one to
/// another can be cut, one way or both. Each namespace lives as long as a process that ends with this one, so nothing
/// is left of it, however this one ends.
///
///   this process ── trunk ┐
///   host ── eth0 ─────────┤ bridge, in a namespace of its own
///   host ── eth0 ─────────┘
/// </summary>
public sealed class NodeNetwork : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly string[] Programs = ["/usr/sbin/nft", "/usr/sbin/ip", "/usr/bin/nsenter"];

    private static int made;

    private readonly Dictionary<string, (Process Holder, string Address)> hosts = new(StringComparer.Ordinal);
    private readonly HashSet<(string From, string To)> cuts = [];
    private readonly string subnet;
    private readonly string link;
    private readonly Process bridge;

    private NodeNetwork(Process bridge)
    {
        // Of this process and of this network: there may be several at once, and one goes some time after its end.
        var number = Interlocked.Increment(ref made) % 40;
        subnet = $"10.{213 + number}.{Environment.ProcessId % 250 + 1}";
        link = $"hex{Environment.ProcessId}n{number}";
        this.bridge = bridge;
    }

    /// <summary>Why there can be none here, or null.</summary>
    public static string? Hindrance =>
        !Environment.IsPrivilegedProcess ? "network namespaces need root"
        : Programs.FirstOrDefault(path => !File.Exists(path)) is { } missing
            ? $"{missing} is missing: apt-get install nftables iproute2 util-linux"
        : null;

    /// <summary>This process, as the hosts see it.</summary>
    public string Address => $"{subnet}.1";

    public static async Task<NodeNetwork> StartAsync()
    {
        var network = new NodeNetwork(await HoldAsync());
        await RunAsync(
            network.bridge,
            $"""
            ip link add lan type bridge
            ip link set lan up
            """);
        await RunAsync(
            null,
            $"""
            ip link add {network.link} type veth peer name trunk netns {network.bridge.Id}
            ip addr add {network.Address}/24 dev {network.link}
            ip link set {network.link} up
            """);
        await RunAsync(network.bridge, "ip link set dev trunk up master lan");
        return network;
    }

    public async Task<ProcessPlace> AddAsync(string name)
    {
        var holder = await HoldAsync();
        var number = hosts.Count + 10;
        hosts.Add(name, (holder, $"{subnet}.{number}"));
        await RunAsync(
            bridge,
            $"""
            ip link add port{number} type veth peer name eth0 netns {holder.Id}
            ip link set dev port{number} up master lan
            """);
        await RunAsync(
            holder,
            $"""
            ip link set lo up
            ip addr add {subnet}.{number}/24 dev eth0
            ip link set eth0 up
            """);
        return new ProcessPlace(
            $"{subnet}.{number}", ["nsenter", "--target", $"{holder.Id}", "--net"],
            new Dictionary<string, string>(StringComparer.Ordinal));
    }

    /// <summary>Nothing of the first reaches the second any more; the other way it does. Lost without a word, as by a
    /// cable.</summary>
    public Task CutAsync(string from, string to)
    {
        cuts.Add((from, to));
        return FilterAsync(to);
    }

    public async Task CutBothWaysAsync(string one, string other)
    {
        await CutAsync(one, other);
        await CutAsync(other, one);
    }

    /// <summary>Packets of the first that a cut has kept from the second, since anything was cut off from that one.
    /// </summary>
    public async Task<long> LostAsync(string from, string to)
    {
        var (table, _) = await RunAsync(hosts[to].Holder, "nft list table inet cuts");
        // … ip saddr 10.213.1.10 counter packets 12 bytes 720 drop …
        var words = table.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var at = Array.IndexOf(words, hosts[from].Address);
        return at < 0 ? 0 : long.Parse(words[at + 3], CultureInfo.InvariantCulture);
    }

    public async Task HealAsync()
    {
        var deaf = cuts.Select(cut => cut.To).Distinct(StringComparer.Ordinal).ToList();
        cuts.Clear();
        foreach (var host in deaf)
        {
            await FilterAsync(host);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var holder in hosts.Values.Select(host => host.Holder).Append(bridge))
        {
            holder.StandardInput.Close();
            await holder.WaitForExitAsync();
            holder.Dispose();
        }
    }

    private Task<(string, string)> FilterAsync(string host)
    {
        var lost = cuts.Where(cut => cut.To == host).Select(cut => $"ip saddr {hosts[cut.From].Address} counter drop;");
        var chain = $"type filter hook input priority 0; {string.Join(' ', lost)}";
        return RunAsync(
            hosts[host].Holder,
            "nft 'table inet cuts {}; delete table inet cuts; " + $$"""table inet cuts { chain in { {{chain}} }; }'""");
    }

    /// <summary>A process in a network namespace of its own, until its input ends.</summary>
    private static async Task<Process> HoldAsync()
    {
        var holder = Process.Start(new ProcessStartInfo("unshare", ["--net", "cat"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
        })!;
        await Wait.ForAsync(
            () => Task.FromResult(NamespaceOf(holder.Id) != NamespaceOf(Environment.ProcessId)),
            Limit, () => "there is no network namespace");
        return holder;
    }

    private static string? NamespaceOf(int process) =>
        new FileInfo($"/proc/{process}/ns/net").LinkTarget;

    private static Task<(string, string)> RunAsync(Process? where, string script) => Clips.RunAsync(
        where is null ? "sh" : "nsenter",
        where is null
            ? ["-ec", script]
            : ["--target", $"{where.Id}", "--net", "sh", "-ec", script]);
}
