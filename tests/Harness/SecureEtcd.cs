using System.Diagnostics;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Hexcast.Harness;

/// <summary>
/// A real etcd of three members, as somebody who cares runs it: TLS, certificates of clients, users with passwords. The
/// user hexcast may use /hexcast/, nobody may nothing, root everything.
/// </summary>
public sealed class SecureEtcd : IAsyncDisposable
{
    public const string Password = "correct horse";

    /// <summary>A member that has fallen out with the others does not start, or all of them refuse writes.</summary>
    public static IReadOnlyList<string> WithChecks(TimeSpan interval) =>
        ["--experimental-initial-corrupt-check", $"--experimental-corrupt-check-time={interval.TotalSeconds}s"];

    private const string UserSetting = "ETCDCTL_USER";
    private const int EvidenceLines = 40;

    private static readonly TimeSpan LeaderLimit = TimeSpan.FromMinutes(1);

    private readonly (string Certificate, string Key) client;

    private SecureEtcd(CertificateAuthority authority, IReadOnlyList<EtcdMember> members)
    {
        (Authority, Members) = (authority, members);
        client = authority.Client("root");
    }

    public IReadOnlyList<EtcdMember> Members { get; }

    public CertificateAuthority Authority { get; }

    /// <summary>What etcdctl has to be told as root.</summary>
    public IReadOnlyDictionary<string, string> Etcdctl => new Dictionary<string, string>
    {
        ["ETCDCTL_API"] = "3",
        ["ETCDCTL_ENDPOINTS"] = string.Join(',', Members.Select(member => member.Address)),
        ["ETCDCTL_CACERT"] = Authority.AuthorityFile,
        ["ETCDCTL_CERT"] = client.Certificate,
        ["ETCDCTL_KEY"] = client.Key,
        [UserSetting] = $"root:{Password}",
    };

    /// <param name="folder">Of certificates, and of what the members keep.</param>
    /// <param name="through">As of <see cref="EtcdMember"/>.</param>
    /// <param name="flags">Of each member, beside those that everybody needs.</param>
    public static async Task<SecureEtcd> StartAsync(
        string folder, Func<int, int>? through = null, IReadOnlyList<string>? flags = null)
    {
        Evidence.Secret(Password);
        Directory.CreateDirectory(folder);
        var authority = new CertificateAuthority(folder, "authority");
        var server = authority.Server("etcd");
        var members = await EtcdMember.StartAsync(
            folder, members: 3,
            [
                "--cert-file", server.Certificate, "--key-file", server.Key,
                "--trusted-ca-file", authority.AuthorityFile, "--client-cert-auth", "--pre-vote",
                // Hashing passwords as slowly as is usual would take most of a test's time.
                "--bcrypt-cost", "4",
                .. flags ?? [],
            ],
            through);
        var etcd = new SecureEtcd(authority, members);
        await etcd.AddUsersAsync();
        return etcd;
    }

    /// <summary>How a node gets in, as options of the section Coordination.</summary>
    public Dictionary<string, string> Settings(string user = "hexcast")
    {
        var settings = new Dictionary<string, string>
        {
            ["Coordination:Mode"] = "Etcd",
            ["Coordination:AuthorityFile"] = Authority.AuthorityFile,
            ["Coordination:CertificateFile"] = client.Certificate,
            ["Coordination:KeyFile"] = client.Key,
            ["Coordination:User"] = user,
            ["Coordination:Password"] = Password,
        };
        for (var i = 0; i < Members.Count; i++)
        {
            settings.Add($"Coordination:Endpoints:{i}", Members[i].Address);
        }

        return settings;
    }

    /// <summary>The member that leads the others. Waited for, while they elect one.</summary>
    public async Task<EtcdMember> LeaderAsync()
    {
        EtcdMember? leader = null;
        var said = "";
        await Wait.ForAsync(
            async () =>
            {
                try
                {
                    said = await EtcdctlAsync("endpoint", "status");
                }
                catch (InvalidOperationException unanswered)
                {
                    said = unanswered.Message;
                    return false;
                }

                var leading = said.Split('\n')
                    .Where(line => line.Contains(", true, false, ", StringComparison.Ordinal)).ToList();
                leader = leading.Count == 1
                    ? Members.Single(member => leading[0].StartsWith(member.Address, StringComparison.Ordinal))
                    : null;
                return leader is not null;
            },
            LeaderLimit, () => $"no member of etcd leads, or two do:\n{said}");
        return leader!;
    }

    /// <summary>All members serve again, whether they were killed or stand still.</summary>
    public async Task HealAsync()
    {
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

    /// <summary>All of them hold the same; all have to serve.</summary>
    /// <exception cref="InvalidOperationException">One has fallen out with the others; with what each of them said.
    /// </exception>
    public Task CheckAgreementAsync() => EtcdAgreement.CheckAsync(
        // Whom a certificate names logs in nowhere, and logging in is an entry of the log of its own.
        arguments => EtcdctlAsync(arguments, Etcdctl.Where(setting => setting.Key != UserSetting)),
        () => string.Join('\n', Members.Select(member => $"{member.Address}:\n{member.LastWords(EvidenceLines)}")));

    public Task<string> EtcdctlAsync(params string[] arguments) => EtcdctlAsync(arguments, Etcdctl);

    /// <param name="arguments">As a person would give them.</param>
    /// <param name="settings">Its own, by environment.</param>
    /// <exception cref="InvalidOperationException">What it says on standard error.</exception>
    internal static async Task<string> EtcdctlAsync(
        string[] arguments, IEnumerable<KeyValuePair<string, string>> settings)
    {
        var start = new ProcessStartInfo("/usr/bin/etcdctl", arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? (await output).Trim() : throw new InvalidOperationException(await errors);
    }

    /// <summary>Of HTTP connections as the user root.</summary>
    public SocketsHttpHandler RootHandler()
    {
        using var pem = X509Certificate2.CreateFromPemFile(client.Certificate, client.Key);
        return new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificates = [X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null)],
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(Authority.AuthorityFile) },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in Members)
        {
            await member.DisposeAsync();
        }

        Authority.Dispose();
    }

    private async Task AddUsersAsync()
    {
        await EtcdctlAsync("user", "add", $"root:{Password}");
        await EtcdctlAsync("user", "add", $"hexcast:{Password}");
        await EtcdctlAsync("user", "add", $"nobody:{Password}");
        await EtcdctlAsync("role", "add", "hexcast");
        await EtcdctlAsync("role", "grant-permission", "hexcast", "readwrite", "--prefix=true", "/hexcast/");
        await EtcdctlAsync("user", "grant-role", "hexcast", "hexcast");
        await EtcdctlAsync("user", "grant-role", "root", "root");
        await EtcdctlAsync("auth", "enable");
    }
}
