using System.Net;
using Google.Protobuf;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Client.Members;
using Hexcast.Coordination.Discovery;
using Hexcast.Coordination.Tests.Servers;
using Hexcast.Harness;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;

namespace Hexcast.Coordination.Tests.Members;

/// <summary>Who gets into an etcd with TLS and users, and what the others are told.</summary>
[Collection(nameof(EtcdTrio))]
public sealed class AccessTests(EtcdTrio etcd)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_user_reads_and_writes_what_its_role_may()
    {
        await using var client = new MembersClient(etcd.Options());
        await client.Client.PutAsync("/hexcast/test/mine", ByteString.CopyFromUtf8("x"), Cancellation);
        (await client.Client.GetAsync("/hexcast/test/mine", Cancellation)).ShouldNotBeNull();
        var denied = await Should.ThrowAsync<CoordinatorException>(() => client.Client.PutAsync(
            "/elsewhere", ByteString.Empty, Cancellation));
        denied.Error.ShouldBe(CoordinatorError.PermissionDenied);
    }

    [Fact]
    public async Task A_certificates_name_is_a_user_without_a_password()
    {
        var own = etcd.Authority.Client("hexcast");
        var options = etcd.Options() with
        {
            User = "",
            Password = "",
            CertificateFile = own.Certificate,
            KeyFile = own.Key,
        };
        await using var client = new MembersClient(options);
        await client.Client.PutAsync("/hexcast/test/certificate", ByteString.Empty, Cancellation);
        (await Should.ThrowAsync<CoordinatorException>(
            () => client.Client.PutAsync("/elsewhere", ByteString.Empty, Cancellation)))
            .Error.ShouldBe(CoordinatorError.PermissionDenied);
    }

    [Fact]
    public async Task A_password_comes_from_a_file_too()
    {
        var file = Path.Combine(etcd.Folder, "password");
        await File.WriteAllTextAsync(file, EtcdTrio.Password + "\n", Cancellation);
        await using var client = new MembersClient(etcd.Options() with { Password = "", PasswordFile = file });
        await client.Client.GetAsync("/hexcast/test", Cancellation);
    }

    [Theory]
    [InlineData("wrong authority", CoordinatorError.ServerNotTrusted, "not of an authority that is trusted here")]
    [InlineData("wrong name", CoordinatorError.ServerNotTrusted, "is not for localhost")]
    [InlineData("no certificate", CoordinatorError.CertificateRefused, "it wants a client's certificate")]
    [InlineData("stranger's certificate", CoordinatorError.CertificateRefused, "it does not take the certificate in")]
    [InlineData("wrong password", CoordinatorError.WrongPassword, "does not know the user 'hexcast'")]
    [InlineData("no such user", CoordinatorError.WrongPassword, "does not know the user 'somebody'")]
    [InlineData("nobody", CoordinatorError.PermissionDenied, "permission denied")]
    [InlineData("certificate of no user", CoordinatorError.PermissionDenied, "permission denied")]
    public async Task Whoever_is_not_let_in_is_told_why(string what, CoordinatorError error, string words)
    {
        var right = etcd.Options();
        var options = what switch
        {
            "wrong authority" => right with { AuthorityFile = etcd.Strangers.AuthorityFile },
            "wrong name" => right with
            {
                Endpoints = [.. right.Endpoints.Select(e => e.Replace("127.0.0.1", "localhost"))],
            },
            "no certificate" => right with { CertificateFile = "", KeyFile = "" },
            "stranger's certificate" => WithCertificate(right, etcd.Strangers.Client("stranger")),
            "wrong password" => right with { Password = "horse" },
            "no such user" => right with { User = "somebody" },
            "nobody" => right with { User = "nobody" },
            _ => WithCertificate(right with { User = "", Password = "" }, etcd.Authority.Client("unknown")),
        };
        await using var client = new MembersClient(options);

        var refused = await Should.ThrowAsync<CoordinatorException>(
            () => client.Client.PutAsync("/hexcast/test/refused", ByteString.Empty, Cancellation));

        refused.Error.ShouldBe(error, refused.Message);
        refused.Message.ShouldContain(words);
        refused.ToString().ShouldNotContain(EtcdTrio.Password);
    }

    [Fact]
    public async Task A_node_that_is_not_let_in_says_why_and_does_not_start()
    {
        using var folder = new TemporaryFolder();
        var node = new NodeSettings
        {
            DataFolder = folder.Path,
            NodeId = "outside",
            Http = new IPEndPoint(IPAddress.Loopback, 0),
            Grpc = new IPEndPoint(IPAddress.Loopback, EtcdMember.FreePort()),
            LogFile = Path.Combine(folder.Path, "log"),
        };
        await using var outside = HexcastHost.Build(
            node, etcd.Configuration("nobody"), [new CoordinationModule()]);

        (await Should.ThrowAsync<CoordinatorAccessException>(() => outside.StartAsync(Cancellation)))
            .Message.ShouldContain("permission denied");
        await outside.StopAsync();
        (await File.ReadAllTextAsync(node.LogFile, Cancellation)).ShouldNotContain(EtcdTrio.Password);
    }

    [Fact]
    public async Task A_token_that_etcd_no_longer_knows_is_asked_for_again()
    {
        await using var client = new MembersClient(etcd.Options());
        await client.Client.PutAsync("/hexcast/test/token", ByteString.Empty, Cancellation);

        // Tokens live in members' memory.
        foreach (var member in etcd.Members)
        {
            await member.KillAsync();
            await etcd.HealAsync();
        }

        await client.Client.PutAsync("/hexcast/test/token", ByteString.Empty, Cancellation);
    }

    [Fact]
    public async Task A_change_of_roles_ends_no_watch_and_no_clients_work()
    {
        await using var client = new MembersClient(etcd.Options());
        await using var watch = client.Client.WatchKeyAsync("/hexcast/test/roles", Cancellation)
            .GetAsyncEnumerator(Cancellation);
        (await watch.MoveNextAsync()).ShouldBeTrue();

        await etcd.EtcdctlAsync("role", "grant-permission", "hexcast", "read", "/another");
        await client.Client.PutAsync("/hexcast/test/roles", ByteString.CopyFromUtf8("after"), Cancellation);

        (await watch.MoveNextAsync()).ShouldBeTrue();
        watch.Current!.Value.ToStringUtf8().ShouldBe("after");
    }

    [Theory]
    [InlineData("hexcast", EtcdTrio.Password, "")]
    [InlineData("hexcast", "horse", "does not know the user 'hexcast' with this password")]
    [InlineData("nobody", EtcdTrio.Password, "the user 'nobody' may not read and write everything under /hexcast/")]
    public async Task A_check_of_the_configuration_asks_every_member_and_writes_nothing(
        string user, string password, string problem)
    {
        await using var root = new MembersClient(etcd.Options("root"));
        var kept = await root.Client.PutAsync("/hexcast/test/trial", ByteString.Empty, Cancellation);
        var options = etcd.Options(user) with { Password = password };

        var problems = await EtcdTrial.ProblemsAsync(options, TimeProvider.System, Cancellation);

        problems.Count.ShouldBe(problem.Length > 0 ? 3 : 0);
        problems.ShouldAllBe(words => words.Contains(problem));
        (await root.Client.GetAsync("/hexcast/test/trial", Cancellation))!.ModRevision.ShouldBe(kept);
    }

    [Fact]
    public async Task A_check_of_the_configuration_names_the_member_that_nobody_answers_for()
    {
        var right = etcd.Options();
        var options = right with { Endpoints = [.. right.Endpoints, "https://127.0.0.1:1"] };
        (await EtcdTrial.ProblemsAsync(options, TimeProvider.System, Cancellation)).ShouldHaveSingleItem()
            .ShouldBe("Coordination: https://127.0.0.1:1: Connection refused");
    }

    [Theory]
    [InlineData("AuthorityFile")]
    [InlineData("CertificateFile")]
    [InlineData("KeyFile")]
    [InlineData("PasswordFile")]
    public void Files_that_cannot_be_used_are_named(string option)
    {
        var odd = Path.Combine(etcd.Folder, "odd.pem");
        File.WriteAllText(odd, "no PEM");
        var other = etcd.Authority.Server("other-key");
        var options = option switch
        {
            "AuthorityFile" => etcd.Options() with { AuthorityFile = odd },
            "CertificateFile" => etcd.Options() with { CertificateFile = odd },
            "KeyFile" => etcd.Options() with { KeyFile = other.Key },
            _ => etcd.Options() with { Password = "", PasswordFile = Path.Combine(etcd.Folder, "missing") },
        };
        Should.Throw<ConfigurationException>(
            () => new EtcdAccess(options, TimeProvider.System).Check())
            .Message.ShouldContain(option);
    }

    private static CoordinationOptions WithCertificate(
        CoordinationOptions options, (string Certificate, string Key) own) =>
        options with { CertificateFile = own.Certificate, KeyFile = own.Key };
}
