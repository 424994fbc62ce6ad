using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hexcast.Platform.Tests.Cluster;

/// <summary>How nodes come into a cluster, and who does not.</summary>
public sealed class EnrolmentTests
{
    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task A_token_lets_one_node_in_and_no_second_one()
    {
        await using var cluster = await TestCluster.StartAsync();
        var token = cluster.Token();
        var second = await cluster.JoinAsync("node-2", token);
        second.ClusterId.ShouldBe(cluster.First.ClusterId);
        second.Seeds.ShouldBe([cluster.First.Address, second.Address]);
        second.Signs.ShouldBeFalse();
        File.GetUnixFileMode(second.KeyFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        ClusterIdentity.Find(cluster.FolderOf("node-2"))!.Node.ShouldBe("node-2");

        (await RefusalAsync(cluster.JoinAsync("node-3", token))).ShouldBe(ErrorCodes.JoinTokenUsed);
        ClusterIdentity.Find(cluster.FolderOf("node-3")).ShouldBeNull();
    }

    [Fact]
    public async Task A_token_of_several_uses_lets_as_many_in()
    {
        await using var cluster = await TestCluster.StartAsync();
        var token = cluster.Token(uses: 3);
        await Task.WhenAll(Enumerable.Range(2, 3).Select(i => cluster.JoinAsync($"node-{i}", token)));
        (await RefusalAsync(cluster.JoinAsync("node-5", token))).ShouldBe(ErrorCodes.JoinTokenUsed);
    }

    [Fact]
    public async Task Whose_answer_was_lost_asks_again_with_the_same_token()
    {
        await using var cluster = await TestCluster.StartAsync();
        var token = cluster.Token();
        var joined = await cluster.JoinAsync("node-2", token);
        // As a node that died before it had its answer: its key is there and nothing else.
        var pending = joined.Folder + ".joining";
        Directory.CreateDirectory(pending);
        File.Move(joined.KeyFile, Path.Combine(pending, "node.key"));
        Directory.Delete(joined.Folder, recursive: true);

        (await cluster.JoinAsync("node-2", token)).Node.ShouldBe("node-2");
    }

    [Fact]
    public async Task A_token_whose_time_is_over_lets_nobody_in()
    {
        await using var cluster = await TestCluster.StartAsync();
        var token = cluster.Token(TimeSpan.FromMinutes(5), clock: new At(Now - TimeSpan.FromMinutes(6)));
        (await RefusalAsync(cluster.JoinAsync("node-2", token))).ShouldBe(ErrorCodes.JoinTokenExpired);
    }

    [Fact]
    public async Task A_token_that_was_changed_or_made_up_lets_nobody_in()
    {
        await using var cluster = await TestCluster.StartAsync();
        var right = JoinToken.Parse(cluster.Token())!;
        var guessed = right with { Secret = new byte[JoinToken.SecretBytes] };
        var unknown = right with { Id = "0123456789abcdef" };
        var elsewhere = right with { Id = "../nodes/node-1" };
        (await RefusalAsync(cluster.JoinAsync("node-2", guessed.Text()))).ShouldBe(ErrorCodes.JoinTokenInvalid);
        (await RefusalAsync(cluster.JoinAsync("node-2", unknown.Text()))).ShouldBe(ErrorCodes.JoinTokenInvalid);
        (await RefusalAsync(cluster.JoinAsync("node-2", elsewhere.Text()))).ShouldBe(ErrorCodes.JoinTokenInvalid);
        (await Should.ThrowAsync<RpcException>(JoinRawAsync(cluster, [], elsewhere))).StatusCode
            .ShouldBe(StatusCode.PermissionDenied);

        var text = right.Text();
        for (var i = 0; i < text.Length; i++)
        {
            JoinToken.Parse(text.Remove(i, 1)).ShouldBeNull();
            JoinToken.Parse(text[..i]).ShouldBeNull();
            JoinToken.Parse(text[..i] + (text[i] == 'A' ? 'B' : 'A') + text[(i + 1)..])
                ?.Text().ShouldBe(text, "only a bit that says nothing may change");
        }

        (await cluster.JoinAsync("node-2", text)).Node.ShouldBe("node-2");
    }

    [Fact]
    public async Task A_secret_goes_to_no_server_of_another_cluster()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var other = await TestCluster.StartAsync();
        var token = JoinToken.Parse(cluster.Token())! with { Addresses = [other.First.Address] };
        var refused = await Should.ThrowAsync<HexcastException>(() => cluster.JoinAsync("node-2", token.Text()));
        refused.Code.ShouldBe(ErrorCodes.Unauthenticated);
        refused.Message.ShouldContain("is not of the cluster that the token is for: it shows another CA");
    }

    [Fact]
    public async Task A_server_that_shows_the_right_CA_and_is_not_its_node_learns_no_secret()
    {
        await using var cluster = await TestCluster.StartAsync();
        // It knows the CA's certificate, as everybody may, and shows it; its own is of another one.
        await using var thief = await TestCluster.StartAsync();
        File.Copy(cluster.First.AuthorityFile, thief.First.AuthorityFile, overwrite: true);
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(cluster.First.AuthorityFile);
        var enrolling = new ThiefAuthority(certificate.RawData);
        await using var node = await enrolling.StartAsync(thief.First);

        var token = JoinToken.Parse(cluster.Token())! with { Addresses = [node.Address] };
        var refused = await Should.ThrowAsync<HexcastException>(() => cluster.JoinAsync("node-2", token.Text()));
        refused.Message.ShouldContain("its certificate is not of the CA that it shows");
        enrolling.Asked.ShouldBe(["/hexcast.v1.Enrolment/GetAuthority"]);
    }

    [Fact]
    public async Task Nobody_to_join_is_said_with_the_addresses_that_were_tried()
    {
        await using var cluster = await TestCluster.StartAsync();
        var nowhere = TestCluster.FreePort().ToString();
        var token = JoinToken.Parse(cluster.Token())! with { Addresses = [nowhere] };
        var refused = await Should.ThrowAsync<HexcastException>(() => cluster.JoinAsync("node-2", token.Text()));
        refused.Code.ShouldBe(ErrorCodes.Unavailable);
        refused.Message.ShouldContain(nowhere);
        // One that does not answer is passed over.
        var both = token with { Addresses = [nowhere, cluster.First.Address] };
        (await cluster.JoinAsync("node-2", both.Text())).Node.ShouldBe("node-2");
    }

    [Fact]
    public async Task A_name_belongs_to_one_node_until_its_certificate_ends()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.JoinAsync("node-2");
        (await RefusalAsync(AgainAsync("node-2"))).ShouldBe(ErrorCodes.NodeNameTaken);
        (await RefusalAsync(AgainAsync("node-1"))).ShouldBe(ErrorCodes.NodeNameTaken);
        new GivenNames(cluster.First.NodesFolder).Give(
            new GivenName("node-2", "a lost key", "127.0.0.1:1", Now - TimeSpan.FromDays(1)));
        (await AgainAsync("node-2")).Node.ShouldBe("node-2");

        cluster.FirstNode.Services.GetRequiredService<RemovedNodes>().Replace(["node-7"]);
        (await RefusalAsync(cluster.JoinAsync("node-7"))).ShouldBe(ErrorCodes.NodeRemoved);

        Task<ClusterIdentity> AgainAsync(string node) => Enrol.JoinAsync(
            cluster.FolderOf("another"), cluster.Token(), node, TestCluster.FreePort(), advertise: null,
            TimeProvider.System, default);
    }

    [Fact]
    public async Task Of_a_request_for_a_certificate_nothing_but_the_key_counts()
    {
        await using var cluster = await TestCluster.StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var asked = new CertificateRequest("CN=node-1", key, HashAlgorithmName.SHA256);
        asked.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(NodeNames.UriOf(cluster.First.ClusterId, "node-1"));
        names.AddDnsName("bank.example");
        asked.CertificateExtensions.Add(names.Build());

        var enrolled = await JoinRawAsync(cluster, asked.CreateSigningRequest());

        using var certificate = X509CertificateLoader.LoadCertificate(enrolled.Certificate.Span);
        NodeNames.Of(certificate, cluster.First.ClusterId).ShouldBe("node-2");
        certificate.Subject.ShouldBe("CN=node-2");
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority.ShouldBeFalse();
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames()
            .ShouldBe(["localhost"]);
        (certificate.NotAfter - certificate.NotBefore).ShouldBeLessThan(TimeSpan.FromDays(92));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("bytes")]
    [InlineData("rsa")]
    [InlineData("p384")]
    [InlineData("signed by another key")]
    [InlineData("followed by more")]
    public async Task A_request_that_is_no_P256_keys_own_is_refused_and_spends_no_token(string which)
    {
        await using var cluster = await TestCluster.StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = ClusterAuthority.RequestOf(key, "node-2");
        using var rsa = RSA.Create(2048);
        using var large = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var sent = which switch
        {
            "nothing" => [],
            "bytes" => [1, 2, 3],
            "rsa" => new CertificateRequest(
                "CN=a", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest(),
            "p384" => ClusterAuthority.RequestOf(large, "node-2"),
            "signed by another key" => Turned(request),
            _ => [.. request, 0],
        };
        var token = cluster.Token();
        var refused = await Should.ThrowAsync<RpcException>(JoinRawAsync(cluster, sent, JoinToken.Parse(token)));
        GrpcErrors.Unwrap(refused).Code.ShouldBe(ErrorCodes.InvalidArgument);
        (await JoinRawAsync(cluster, request, JoinToken.Parse(token))).ClusterId.ShouldBe(cluster.First.ClusterId);

        // Its signature is what comes last.
        static byte[] Turned(byte[] request)
        {
            byte[] turned = [.. request];
            turned[^1] ^= 1;
            return turned;
        }
    }

    [Fact]
    public async Task Who_guesses_has_to_wait()
    {
        await using var cluster = await TestCluster.StartAsync();
        var codes = new List<string>();
        for (var i = 0; i < 30 && !codes.Contains(ErrorCodes.TooManyAttempts); i++)
        {
            var guess = JoinToken.New([cluster.First.Address], new string('0', 64));
            var refused = await Should.ThrowAsync<RpcException>(JoinRawAsync(cluster, [], guess));
            codes.Add(GrpcErrors.Unwrap(refused).Code);
        }

        codes.Distinct().ShouldBe([ErrorCodes.JoinTokenInvalid, ErrorCodes.TooManyAttempts]);
    }

    [Fact]
    public async Task A_certificate_is_renewed_from_its_middle_on_and_shown_without_a_restart()
    {
        await using var cluster = await TestCluster.StartAsync(new At(Now - TimeSpan.FromDays(60)));
        // The first one did it when it started.
        var first = cluster.FirstNode.Services.GetRequiredService<NodeCertificate>();
        await UntilAsync(() => first.Current.NotAfter.ToUniversalTime() > Now.UtcDateTime.AddDays(80));

        var joined = await cluster.JoinAsync("node-2");
        using (var key = ECDsa.Create())
        using (var authority = ClusterAuthority.Load(cluster.First))
        {
            key.ImportFromPem(await File.ReadAllTextAsync(joined.KeyFile));
            using var old = authority.Issue(
                new PublicKey(key), joined.ClusterId, "node-2", joined.Address, Now - TimeSpan.FromDays(50));
            ClusterFolder.WriteCertificate(joined.CertificateFile, old);
        }

        var second = await cluster.StartAsync(joined);
        var certificate = second.Services.GetRequiredService<NodeCertificate>();
        await UntilAsync(() => certificate.Current.NotAfter.ToUniversalTime() > Now.UtcDateTime.AddDays(80));
        using var kept = X509CertificateLoader.LoadCertificateFromFile(joined.CertificateFile);
        kept.Thumbprint.ShouldBe(certificate.Current.Thumbprint);
    }

    private sealed record Known(params IReadOnlyList<string> Addresses) : IKnownNodes;

    [Fact]
    public async Task A_certificate_is_renewed_by_whoever_signs_now()
    {
        await using var cluster = await TestCluster.StartAsync();
        var third = await cluster.JoinAsync("node-3");
        var second = await cluster.JoinAsync("node-2");
        third.Seeds.ShouldNotContain(second.Address);
        // The only one that signs is gone; there are copies of its key and of the names that it gave.
        await cluster.FirstNode.StopAsync();
        File.Copy(cluster.First.AuthorityKeyFile, second.AuthorityKeyFile);
        ClusterFolder.CreatePrivate(second.NodesFolder);
        foreach (var name in Directory.GetFiles(cluster.First.NodesFolder))
        {
            File.Copy(name, Path.Combine(second.NodesFolder, Path.GetFileName(name)));
        }

        await cluster.StartAsync(second);
        var services = (await cluster.StartAsync(third)).Services;
        var own = services.GetRequiredService<NodeCertificate>();
        using var renewal = new CertificateRenewal(
            own, services.GetRequiredService<Enrolling>(), services.GetRequiredService<NodeChannels>(),
            services.GetRequiredService<NodeSettings>(), TimeProvider.System,
            NullLogger<CertificateRenewal>.Instance, new Known(third.Address, second.Address));
        var before = own.Current.Thumbprint;
        await renewal.RenewAsync(CancellationToken.None);
        own.Current.Thumbprint.ShouldNotBe(before);
        ClusterIdentity.Find(cluster.FolderOf("node-3"))!.Seeds[0].ShouldBe(second.Address);

        var token = Enrol.Token(
            cluster.FolderOf("node-2"), TimeSpan.FromMinutes(10), uses: 1, [], TimeProvider.System);
        (await cluster.JoinAsync("node-4", token.Text)).Node.ShouldBe("node-4");
    }

    [Fact]
    public async Task An_identity_whose_files_do_not_belong_together_is_no_identity()
    {
        await using var cluster = await TestCluster.StartAsync();
        var joined = await cluster.JoinAsync("node-2");
        await using var other = await TestCluster.StartAsync();
        File.Copy(other.First.AuthorityFile, joined.AuthorityFile, overwrite: true);
        Should.Throw<ConfigurationException>(() => new NodeCertificate(
            joined, new RemovedNodes(joined), TimeProvider.System, NullLogger<NodeCertificate>.Instance))
            .Message.ShouldContain("node.pem");
        await File.WriteAllTextAsync(Path.Combine(joined.Folder, "cluster.json"), "{");
        Should.Throw<ConfigurationException>(() => ClusterIdentity.Find(cluster.FolderOf("node-2")))
            .Message.ShouldContain("cluster.json");
    }

    [Fact]
    public async Task A_node_that_was_off_until_its_certificate_had_ended_says_so_and_joins_again()
    {
        await using var cluster = await TestCluster.StartAsync();
        var joined = await cluster.JoinAsync("node-2");
        var later = new At(Now + TimeSpan.FromDays(91));
        Should.Throw<ConfigurationException>(() => new NodeCertificate(
            joined, new RemovedNodes(joined), later, NullLogger<NodeCertificate>.Instance))
            .Message.ShouldContain("join the cluster again");
        // The one that signs renews its own.
        new NodeCertificate(
            cluster.First, new RemovedNodes(cluster.First), later, NullLogger<NodeCertificate>.Instance)
            .Current.Subject.ShouldBe("CN=node-1");
    }

    private static async Task<Enrolled> JoinRawAsync(TestCluster cluster, byte[] request, JoinToken? token = null)
    {
        var shown = token ?? JoinToken.Parse(cluster.Token())!;
        using var channel = cluster.ChannelWith(null);
        return await new Enrolment.EnrolmentClient(channel).JoinAsync(new JoinRequest
        {
            TokenId = shown.Id,
            TokenSecret = ByteString.CopyFrom(shown.Secret),
            CertificateRequest = ByteString.CopyFrom(request),
            Node = "node-2",
            Address = "127.0.0.1:9",
        });
    }

    private static async Task<string> RefusalAsync(Task joining) =>
        (await Should.ThrowAsync<HexcastException>(joining)).Code;

    private static async Task UntilAsync(Func<bool> condition)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(30));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }
}
