using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Hexcast.App.Cli;
using Hexcast.Harness;

namespace Hexcast.App.Tests;

/// <summary>The command line against a node that speaks TLS, with an authority that no system knows.</summary>
public sealed class TlsTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-tls-").FullName;
    private HostedNode node = null!;

    private string AuthorityFile => Path.Combine(folder, "ca.pem");

    public async ValueTask InitializeAsync()
    {
        var (certificate, key) = WriteCertificates();
        node = await HostedNode.StartAsync(
            folder,
            [.. Targets.Table.Where(t => t.Name is "coordinator" or "access").Select(target => target.Module())],
            ("Tls:CertificateFile", certificate), ("Tls:KeyFile", key));
        node.Address.Scheme.ShouldBe("https");
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_command_talks_to_a_server_whose_authority_it_is_told()
    {
        var ended = await HexcastProcess.RunTrustingAsync(
            AuthorityFile, node.Address, "token", "ls", "--json", "--data", folder);
        ended.ExitCode.ShouldBe(ExitCode.Success, ended.Errors);
        JsonNode.Parse(ended.Output)!["tokens"]!.AsArray().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_command_trusts_no_server_that_nobody_vouches_for_and_says_what_to_set()
    {
        var ended = await HexcastProcess.RunAsync(node.Address, "token", "ls", "--data", folder);
        ended.ExitCode.ShouldBe(ExitCode.NoServer);
        ended.Output.ShouldBeEmpty();
        ended.Errors.ShouldContain("SSL_CERT_FILE");
    }

    private (string Certificate, string Key) WriteCertificates()
    {
        var now = TimeProvider.System.GetUtcNow();
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var asked = new CertificateRequest("CN=an authority of our own", authorityKey, HashAlgorithmName.SHA256);
        asked.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        using var authority = asked.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        var request = new CertificateRequest("CN=here", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, now.AddDays(-1), now.AddDays(20), [1, 2, 3, 4]);

        var (certificateFile, keyFile) = (Path.Combine(folder, "cert.pem"), Path.Combine(folder, "key.pem"));
        File.WriteAllText(AuthorityFile, authority.ExportCertificatePem());
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return (certificateFile, keyFile);
    }
}
