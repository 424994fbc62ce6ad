using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Hexcast.Access.Tests;

/// <summary>Over TLS, the node's own or its proxy's, the session's cookie is for TLS only.</summary>
public sealed class SecureCookieTests : IDisposable
{
    private static readonly (string, string) FromProxy = ("X-Forwarded-Proto", "https");

    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-tls-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Over_TLS_nobody_else_can_set_the_cookie_and_no_plain_connection_carries_it()
    {
        var (certificate, key) = WriteCertificate();
        await using var node = await AccessNode.StartAsync(
            ("Tls:CertificateFile", certificate), ("Tls:KeyFile", key));
        node.Http.BaseAddress!.Scheme.ShouldBe("https");
        await ShouldBeForTlsOnlyAsync(node);
    }

    [Fact]
    public async Task Behind_a_proxy_that_speaks_TLS_it_is_the_same()
    {
        await using var node = await AccessNode.StartAsync(("Access:TrustedProxies:0", "127.0.0.1"));
        await ShouldBeForTlsOnlyAsync(node, FromProxy);
    }

    [Fact]
    public async Task Nobody_but_a_named_proxy_says_that_it_was_TLS()
    {
        await using var node = await AccessNode.StartAsync();
        var cookie = await SignInAsync(node, FromProxy);
        cookie[0].ShouldStartWith("hexcast_session=");
        cookie.ShouldNotContain("secure");
    }

    private static async Task ShouldBeForTlsOnlyAsync(AccessNode node, params (string, string)[] headers)
    {
        var cookie = await SignInAsync(node, headers);
        cookie[0].ShouldStartWith("__Host-hexcast_session=");
        // A browser takes a __Host- cookie only with Secure, with Path=/ and without Domain (RFC 6265bis, 4.1.3.2).
        ShouldBeBoundToTheHost(cookie);
        (await ReadAsync(node, [.. headers, ("Cookie", cookie[0])])).ShouldBe(200);

        // The same secret by the name that a plain connection could have set is nobody's.
        (await ReadAsync(node, [.. headers, ("Cookie", cookie[0]["__Host-".Length..])])).ShouldBe(401);

        using var signedOut = await node.SendAsync(
            HttpMethod.Delete, "/v1/session",
            headers: [.. headers, ("Cookie", cookie[0]), ("Sec-Fetch-Site", "same-origin")]);
        ((int)signedOut.StatusCode).ShouldBe(204);
        var removed = Attributes(signedOut);
        removed[0].ShouldBe("__Host-hexcast_session=");
        removed.ShouldContain("max-age=0");
        ShouldBeBoundToTheHost(removed);
        (await ReadAsync(node, [.. headers, ("Cookie", cookie[0])])).ShouldBe(401);
    }

    private static void ShouldBeBoundToTheHost(string[] cookie)
    {
        cookie.ShouldContain("secure");
        cookie.ShouldContain("path=/");
        cookie.ShouldContain("httponly");
        cookie.ShouldContain("samesite=strict");
        cookie.ShouldNotContain(part => part.StartsWith("domain", StringComparison.OrdinalIgnoreCase));
    }

    private static async Task<string[]> SignInAsync(AccessNode node, params (string, string)[] headers)
    {
        using var answer = await node.SendAsync(
            HttpMethod.Post, "/v1/session", body: JsonContent.Create(new { token = node.AdminToken }),
            headers: headers);
        ((int)answer.StatusCode).ShouldBe(204, await answer.Content.ReadAsStringAsync());
        return Attributes(answer);
    }

    private static async Task<int> ReadAsync(AccessNode node, params (string, string)[] headers)
    {
        using var answer = await node.SendAsync(HttpMethod.Get, "/read", headers: headers);
        return (int)answer.StatusCode;
    }

    private static string[] Attributes(HttpResponseMessage answer) =>
        answer.Headers.GetValues("Set-Cookie").Single().Split("; ");

    private (string Certificate, string Key) WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        var (certificateFile, keyFile) = (Path.Combine(folder, "cert.pem"), Path.Combine(folder, "key.pem"));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return (certificateFile, keyFile);
    }
}
