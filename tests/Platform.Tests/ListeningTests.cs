using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hexcast.Platform.Access;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Telemetry;
using Hexcast.Platform.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.Tests;

/// <summary>Where a node listens, whom it believes, and its TLS.</summary>
public sealed class ListeningTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-listen-").FullName;

    private int built;

    private string CertificateFile => Path.Combine(folder, "cert.pem");

    private string KeyFile => Path.Combine(folder, "key.pem");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Listening_beyond_this_machine_in_the_clear_is_refused_until_somebody_says_that_it_is_meant()
    {
        var refused = Should.Throw<ConfigurationException>(() => Build("0.0.0.0", "127.0.0.1"));
        refused.Message.ShouldContain("Access:AllowPlainHttp");
        refused.Message.ShouldContain("Tls:CertificateFile");
        Should.Throw<ConfigurationException>(() => Require("::", "127.0.0.1", new AccessOptions()));
        Require("0.0.0.0", "127.0.0.1", new AccessOptions(), tls: true);
        Require("0.0.0.0", "127.0.0.1", new AccessOptions { AllowPlainHttp = true });
        Require("0.0.0.0", "127.0.0.1", new AccessOptions { TrustedProxies = ["10.0.0.0/8"] });
        Require("::1", "127.0.0.1", new AccessOptions());
    }

    [Fact]
    public void The_port_for_roles_is_refused_beyond_this_machine_on_its_own_account()
    {
        var refused = Should.Throw<ConfigurationException>(
            () => Build("127.0.0.1", "0.0.0.0", ("Access:AllowPlainHttp", "true")));
        refused.Message.ShouldContain("Access:AllowOpenGrpc");
        Require("127.0.0.1", "0.0.0.0", new AccessOptions { AllowOpenGrpc = true });
    }

    [Fact]
    public void Proxies_that_are_no_addresses_are_refused() =>
        Should.Throw<ConfigurationException>(() => Build(
            "127.0.0.1", "127.0.0.1", ("Access:TrustedProxies:0", "proxy.example"))).Message
            .ShouldContain("Access:TrustedProxies");

    [Theory]
    [InlineData("192.0.2.1", "198.51.100.7", "198.51.100.7 http")]
    [InlineData("127.0.0.1", "198.51.100.7", "198.51.100.7 https")]
    [InlineData("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7 https")]
    [InlineData("127.0.0.1", "203.0.113.9, 127.0.0.1", "203.0.113.9 https")]
    [InlineData("127.0.0.1", "nonsense", "127.0.0.1 http")]
    public async Task Only_a_named_proxy_says_whom_a_request_comes_from(string proxy, string forwarded, string expected)
    {
        await using var node = Build("127.0.0.1", "127.0.0.1", ("Access:TrustedProxies:0", proxy));
        await node.StartAsync(CancellationToken.None);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(AddressOf(node), "/who"));
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwarded);
        request.Headers.TryAddWithoutValidation("X-Forwarded-Proto", "https");
        using var answer = await http.SendAsync(request);
        var told = await answer.Content.ReadAsStringAsync();
        told.ShouldBe(proxy == "127.0.0.1" ? expected : "127.0.0.1 http");
    }

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("192.0.2.7", false)]
    public void Whoever_comes_past_the_proxy_is_turned_away(string from, bool admitted)
    {
        var options = new AccessOptions { TrustedProxies = ["10.0.0.0/8"] };
        var node = new NodeSettings { DataFolder = folder, Http = new IPEndPoint(IPAddress.Any, 8080) };
        new ForwardedClients(options, node, tls: false).Admits(IPAddress.Parse(from)).ShouldBe(admitted);
        new ForwardedClients(options, node, tls: true).Admits(IPAddress.Parse(from)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_new_certificate_is_taken_over_while_a_connection_lives_on_and_a_bad_one_is_not()
    {
        var first = WritePair("first.example");
        await using var node = BuildTls();
        await node.StartAsync(CancellationToken.None);
        var address = AddressOf(node);
        using var living = await TlsConnection.OpenAsync(address);
        living.Certificate.ShouldBe(first);
        (await living.GetAsync("/who")).ShouldContain("200 OK");

        var second = WritePair("second.example");
        await CertificateBecomesAsync(address, second);
        (await living.GetAsync("/who")).ShouldContain("200 OK");

        await File.WriteAllTextAsync(CertificateFile, "no certificate");
        await LogShowsAsync("the one before stays");
        using (var connection = await TlsConnection.OpenAsync(address))
        {
            connection.Certificate.ShouldBe(second);
        }

        var third = WritePair("third.example");
        await CertificateBecomesAsync(address, third);
        (await living.GetAsync("/who")).ShouldContain("200 OK");
    }

    [Fact]
    public async Task Over_TLS_both_versions_of_HTTP_are_spoken()
    {
        var own = WritePair("here.example");
        await using var node = BuildTls();
        await node.StartAsync(CancellationToken.None);
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions =
            {
                RemoteCertificateValidationCallback = (_, shown, _, _) =>
                    shown!.GetRawCertData().AsSpan().SequenceEqual(own),
            },
        });
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(AddressOf(node), "/who"))
            {
                Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            using var answer = await http.SendAsync(request);
            (await answer.Content.ReadAsStringAsync()).ShouldBe("127.0.0.1 https");
        }
    }

    [Theory]
    [InlineData("https", "video.example", "max-age=2592000")]
    [InlineData("https", "localhost", null)]
    [InlineData("http", "video.example", null)]
    public async Task Browsers_are_told_to_keep_to_TLS_over_TLS_only(string scheme, string host, string? expected)
    {
        await using var node = Build("127.0.0.1", "127.0.0.1", ("Access:TrustedProxies:0", "127.0.0.1"));
        await node.StartAsync(CancellationToken.None);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(AddressOf(node), "/who"));
        request.Headers.Host = host;
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", "198.51.100.7");
        request.Headers.TryAddWithoutValidation("X-Forwarded-Proto", scheme);
        using var answer = await http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.TryGetValues("Strict-Transport-Security", out var told);
        told?.Single().ShouldBe(expected);
        (told is null).ShouldBe(expected is null);
    }

    [Fact]
    public async Task A_time_of_zero_takes_the_promise_of_TLS_back()
    {
        WritePair("here.example");
        await using var node = Build(
            "127.0.0.1", "127.0.0.1", ("Tls:CertificateFile", CertificateFile), ("Tls:KeyFile", KeyFile),
            ("Tls:HstsMaxAge", "00:00:00"));
        await node.StartAsync(CancellationToken.None);
        using var connection = await TlsConnection.OpenAsync(AddressOf(node));
        (await connection.GetAsync("/who")).ShouldContain("Strict-Transport-Security: max-age=0\r\n");
    }

    [Fact]
    public void A_pair_that_cannot_be_used_is_named_at_start()
    {
        WritePair("one.example");
        var key = File.ReadAllText(KeyFile);
        WritePair("other.example");
        File.WriteAllText(KeyFile, key);
        Should.Throw<ConfigurationException>(BuildTls).Message.ShouldContain(KeyFile);
        File.Delete(KeyFile);
        Should.Throw<ConfigurationException>(BuildTls).Message.ShouldContain(KeyFile);
        Should.Throw<ConfigurationException>(
            () => Build("127.0.0.1", "127.0.0.1", ("Tls:CertificateFile", CertificateFile))).Message
            .ShouldContain("Tls:KeyFile");
    }

    [Fact]
    public async Task A_certificate_that_ends_soon_is_warned_of()
    {
        WritePair("soon.example", TimeSpan.FromDays(3));
        await using var node = BuildTls();
        await node.StartAsync(CancellationToken.None);
        await LogShowsAsync("expires in 2 days");
        var expiry = node.Services.GetRequiredService<PrometheusReader>().Snapshot()
            .Single(metric => metric.Name == "tls_certificate_expiry_seconds").Series.ShouldHaveSingleItem();
        expiry.Value.ShouldBe((TimeProvider.System.GetUtcNow() + TimeSpan.FromDays(3)).ToUnixTimeSeconds(), 600d);
    }

    private byte[] WritePair(string name, TimeSpan? life = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now + (life ?? TimeSpan.FromDays(90)));
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        return certificate.RawData;
    }

    private static async Task CertificateBecomesAsync(Uri address, byte[] expected)
    {
        var limit = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var connection = await TlsConnection.OpenAsync(address);
            if (connection.Certificate.AsSpan().SequenceEqual(expected))
            {
                return;
            }

            TimeProvider.System.GetElapsedTime(limit).ShouldBeLessThan(TimeSpan.FromSeconds(30));
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private async Task LogShowsAsync(string words)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var reader = new StreamReader(new FileStream(
                Path.Combine(folder, $"log-{built}"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            if ((await reader.ReadToEndAsync()).Contains(words, StringComparison.Ordinal))
            {
                return;
            }

            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(30), words);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private void Require(string http, string grpc, AccessOptions options, bool tls = false) => ListeningRules.Require(
        new NodeSettings
        {
            DataFolder = folder,
            Http = new IPEndPoint(IPAddress.Parse(http), 8080),
            Grpc = new IPEndPoint(IPAddress.Parse(grpc), 8081),
        },
        options,
        tls);

    private HexcastNode BuildTls() => Build(
        "127.0.0.1", "127.0.0.1", ("Tls:CertificateFile", CertificateFile), ("Tls:KeyFile", KeyFile));

    private HexcastNode Build(string http, string grpc, params (string Key, string Value)[] settings) =>
        HexcastHost.Build(
            new NodeSettings
            {
                DataFolder = folder,
                Http = new IPEndPoint(IPAddress.Parse(http), 0),
                Grpc = new IPEndPoint(IPAddress.Parse(grpc), 0),
                LogFile = Path.Combine(folder, $"log-{++built}"),
            },
            new ConfigurationBuilder().AddInMemoryCollection(
                settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value))).Build(),
            [new WhoRole()]);

    private static Uri AddressOf(HexcastNode node) => new(
        node.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    private sealed class WhoRole : RoleModule
    {
        public override void AddServices(RoleBuilder role)
        {
        }

        public override void MapHttp(IEndpointRouteBuilder http) => http.MapGet(
            "/who", (HttpContext context) => $"{context.Connection.RemoteIpAddress} {context.Request.Scheme}")
            .AllowAnyone();
    }

    /// <summary>One connection, kept open, by hand: a client library would open another behind one's back.</summary>
    private sealed class TlsConnection : IDisposable
    {
        private readonly TcpClient tcp = new();
        private SslStream tls = null!;

        public byte[] Certificate { get; private set; } = [];

        public static async Task<TlsConnection> OpenAsync(Uri address)
        {
            var opened = new TlsConnection();
            await opened.tcp.ConnectAsync(address.Host, address.Port);
            opened.tls = new SslStream(
                opened.tcp.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) =>
                {
                    // Which one it is, is what the test asks.
                    opened.Certificate = shown!.GetRawCertData();
                    return opened.Certificate.Length > 0;
                });
            await opened.tls.AuthenticateAsClientAsync("here.example");
            return opened;
        }

        public async Task<string> GetAsync(string path)
        {
            await tls.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: here.example\r\n\r\n"));
            var buffer = new byte[4096];
            var answer = "";
            // The whole of it, or its end would be taken for the next answer.
            while (!answer.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal))
            {
                var count = await tls.ReadAsync(buffer);
                count.ShouldBeGreaterThan(0, answer);
                answer += Encoding.ASCII.GetString(buffer, 0, count);
            }

            return answer;
        }

        public void Dispose()
        {
            tls.Dispose();
            tcp.Dispose();
        }
    }
}
