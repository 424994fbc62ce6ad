using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Hexcast.Playback.Tests.Support;
using Hexcast.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using static Hexcast.Playback.Tests.SegmentTests;

namespace Hexcast.Playback.Tests;

public sealed class TokenTests : IAsyncLifetime
{
    private PlaybackHost host = null!;
    private SampleVersion sample = null!;

    public async ValueTask InitializeAsync()
    {
        host = await PlaybackHost.StartAsync(manualClock: true);
        sample = await SampleVersion.PutAsync(host, policy: "signed");
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private string KeyFile => Path.Combine(host.DataFolder, "keys", "playback.json");

    [Fact]
    public async Task Nothing_of_a_signed_media_opens_without_a_token()
    {
        foreach (var path in Everything())
        {
            using var answer = await host.GetAsync(path);
            await ShouldBeProblemAsync(answer, HttpStatusCode.Unauthorized, "token_missing");
            Header(answer, "WWW-Authenticate").ShouldNotBeEmpty();
            Header(answer, "Access-Control-Allow-Origin").ShouldBe("*");
        }

        using var empty = await host.GetAsync(sample.Path("1.m4s") + "?token=");
        await ShouldBeProblemAsync(empty, HttpStatusCode.Unauthorized, "token_missing");
    }

    [Fact]
    public async Task A_signed_media_opens_to_who_is_signed_in_and_may_read_its_tenant_and_to_no_other()
    {
        foreach (var path in Everything())
        {
            using var answer = await host.GetAsync(path, (TestAccess.Header, "default;read;browser"));
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            Header(answer, "Cache-Control").ShouldStartWith("private, ");
        }

        // Another tenant's person, one who may only upload, a program, nobody.
        foreach (var who in new[] { "other;read;browser", "default;upload;browser", "default;read", "" })
        {
            using var answer = await host.GetAsync(sample.Root + "poster.jpg", (TestAccess.Header, who));
            await ShouldBeProblemAsync(answer, HttpStatusCode.Unauthorized, "token_missing");
        }

        using var forged = await host.GetAsync(
            sample.Root + "poster.jpg?token=forged", (TestAccess.Header, "default;read;browser"));
        await ShouldBeProblemAsync(forged, HttpStatusCode.Forbidden, "token_invalid");
    }

    [Fact]
    public async Task A_token_opens_everything_of_its_media_and_no_shared_cache_may_keep_it()
    {
        var token = await TokenAsync();
        foreach (var path in Everything())
        {
            using var answer = await host.GetAsync($"{path}?token={token}");
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            Header(answer, "Cache-Control").ShouldStartWith("private, ");
        }

        using var segment = await host.GetAsync($"{sample.Path("1.m4s")}?token={token}");
        Header(segment, "Cache-Control").ShouldBe("private, max-age=31536000, immutable");
        (await segment.Content.ReadAsByteArrayAsync()).ShouldBe(sample.Segment(1));
    }

    [Fact]
    public async Task A_manifest_hands_the_token_of_its_query_on_to_each_address()
    {
        var token = await TokenAsync();
        var master = await TextAsync($"{sample.Root}master.m3u8?token={token}");
        master.ShouldContain($"{SampleVersion.Video}/index.m3u8?token={token}\n");
        master.ShouldContain($"{SampleVersion.Audio}/index.m3u8?token={token}\"");
        var media = await TextAsync($"{sample.Path("index.m3u8")}?token={token}");
        media.ShouldContain($"init.mp4?token={token}\"");
        media.ShouldContain($"4.m4s?token={token}\n");
        var mpd = await TextAsync($"{sample.Root}manifest.mpd?token={token}");
        mpd.ShouldContain($"$Number$.m4s?token={token}\"");
        (master + media + mpd).ShouldNotContain("hexcast_token");
    }

    [Fact]
    public async Task A_manifest_with_one_viewers_token_is_not_confirmed_to_another()
    {
        string[] paths = [sample.Root + "master.m3u8", sample.Root + "manifest.mpd", sample.Path("index.m3u8")];
        var first = await TokenAsync();
        host.Clock.Advance(TimeSpan.FromSeconds(1));
        var second = await TokenAsync();
        foreach (var path in paths)
        {
            using var mine = await host.GetAsync($"{path}?token={first}");
            var known = ("If-None-Match", mine.Headers.ETag!.Tag);
            using var again = await host.GetAsync($"{path}?token={first}", known);
            again.StatusCode.ShouldBe(HttpStatusCode.NotModified);
            Header(again, "Cache-Control").ShouldStartWith("private, ");
            using var other = await host.GetAsync($"{path}?token={second}", known);
            other.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await other.Content.ReadAsStringAsync()).ShouldNotContain(first);
        }
    }

    [Fact]
    public async Task A_cookie_opens_too_and_leaves_the_addresses_bare()
    {
        using var answer = await host.Http.PostAsync(
            $"/v1/media/{sample.MediaId}/playback", new StringContent("""{"cookie":true,"ttl_seconds":60}"""));
        var links = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        ((string?)links["hls"]).ShouldBe(sample.Root + "master.m3u8");
        var cookie = answer.Headers.GetValues("Set-Cookie").Single();
        cookie.ShouldContain($"path={sample.Root}");
        cookie.ShouldContain("httponly");
        cookie.ShouldContain("samesite=strict");
        using var master = await host.GetAsync(sample.Root + "master.m3u8", ("Cookie", cookie.Split(';')[0]));
        master.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await master.Content.ReadAsStringAsync()).ShouldNotContain("token");
    }

    [Fact]
    public async Task An_expired_token_is_refused_also_when_it_was_good_before()
    {
        var token = await TokenAsync("""{"ttl_seconds":60}""");
        await ShouldOpenAsync(token);
        host.Clock.Advance(TimeSpan.FromSeconds(59));
        await ShouldOpenAsync(token);
        host.Clock.Advance(TimeSpan.FromSeconds(1));
        await ShouldBeRefusedAsync(token, "token_expired");
    }

    [Fact]
    public async Task A_token_of_another_media_is_refused()
    {
        var other = await SampleVersion.PutAsync(host, policy: "signed");
        await ShouldBeRefusedAsync(await TokenAsync(media: other));
    }

    [Fact]
    public async Task A_changed_token_is_refused_wherever_it_was_changed()
    {
        var token = await TokenAsync();
        await ShouldOpenAsync(token);
        var random = new Random(7);
        for (var i = 0; i < 60; i++)
        {
            var at = random.Next(token.Length);
            // The last character of a part may hold bits that decoding drops.
            if (token[at] == '.' || at + 1 == token.Length || token[at + 1] == '.')
            {
                continue;
            }

            await ShouldBeRefusedAsync($"{token[..at]}{(token[at] == 'A' ? 'B' : 'A')}{token[(at + 1)..]}");
        }

        string[] nonsense = ["x", "..", "a.b.c", token + ".x", token[..^5], new string('A', 5000), "%00", "%ff%fe"];
        foreach (var bad in nonsense)
        {
            await ShouldBeRefusedAsync(bad);
        }

        // Two tokens are none.
        await ShouldBeRefusedAsync($"{token}&token={token}");
    }

    [Fact]
    public async Task A_token_without_a_signature_is_refused()
    {
        var parts = (await TokenAsync()).Split('.');
        foreach (var algorithm in new[] { "none", "None", "NONE", "" })
        {
            var header = Base64UrlEncoder.Encode($$"""{"alg":"{{algorithm}}","typ":"JWT"}""");
            await ShouldBeRefusedAsync($"{header}.{parts[1]}.");
            await ShouldBeRefusedAsync($"{header}.{parts[1]}.{parts[2]}");
        }
    }

    [Fact]
    public async Task A_token_signed_with_the_public_key_as_a_shared_secret_is_refused()
    {
        var key = JsonNode.Parse(await File.ReadAllTextAsync(KeyFile))!["keys"]![0]!;
        using var pair = ECDsa.Create(Parameters(key));
        var payload = (await TokenAsync()).Split('.')[1];
        var header = Base64UrlEncoder.Encode($$"""{"alg":"HS256","typ":"JWT","kid":"{{(string)key["kid"]!}}"}""");
        foreach (var secret in new[]
        {
            pair.ExportSubjectPublicKeyInfo(), Encoding.UTF8.GetBytes(pair.ExportSubjectPublicKeyInfoPem()),
            Encoding.UTF8.GetBytes((string)key["x"]!),
        })
        {
            var signature = HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes($"{header}.{payload}"));
            await ShouldBeRefusedAsync($"{header}.{payload}.{Base64UrlEncoder.Encode(signature)}");
        }
    }

    [Fact]
    public async Task A_token_of_a_stranger_with_the_right_key_name_is_refused()
    {
        var kid = (string)JsonNode.Parse(await File.ReadAllTextAsync(KeyFile))!["keys"]![0]!["kid"]!;
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await ShouldBeRefusedAsync(Sign(pair, kid, Claims()));
        await ShouldBeRefusedAsync(Sign(pair, "another", Claims()));
    }

    [Fact]
    public async Task A_token_of_our_key_for_another_purpose_is_refused()
    {
        using var pair = OurKey(out var kid);
        await ShouldOpenAsync(Sign(pair, kid, Claims()));
        await ShouldBeRefusedAsync(Sign(pair, kid, Claims(c => c["aud"] = "hexcast-api")));
        await ShouldBeRefusedAsync(Sign(pair, kid, Claims(c => c["iss"] = "somebody")));
        await ShouldBeRefusedAsync(Sign(pair, kid, Claims(c => c["path"] = $"{sample.Root}elsewhere/")));
        await ShouldBeRefusedAsync(Sign(pair, kid, Claims(c => c["path"] = sample.Root.TrimEnd('/'))));
        await ShouldBeRefusedAsync(Sign(pair, kid, Claims(c => c["sub"] = PlaybackHost.NewMediaId())));
        foreach (var claim in new[] { "exp", "nbf", "iat", "sub", "path", "aud", "iss" })
        {
            await ShouldBeRefusedAsync(Sign(pair, kid, Claims(c => c.Remove(claim))));
        }

        var soon = host.Clock.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds();
        await ShouldBeRefusedAsync(Sign(pair, kid, Claims(c => c["nbf"] = soon)));
        await ShouldBeRefusedAsync(Sign(pair, kid, Claims(c => c["iat"] = soon)));
        // A node whose clock runs a little ahead issues good tokens.
        var ahead = host.Clock.GetUtcNow().AddSeconds(20).ToUnixTimeSeconds();
        await ShouldOpenAsync(Sign(pair, kid, Claims(c => c["iat"] = ahead)));
    }

    [Fact]
    public async Task Only_the_owner_reads_the_keys_and_a_restart_keeps_them()
    {
        var token = await TokenAsync();
        File.GetUnixFileMode(KeyFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.GetFiles(Path.GetDirectoryName(KeyFile)!).Length.ShouldBe(1);
        await host.RestartAsync();
        await ShouldOpenAsync(token);
    }

    [Fact]
    public async Task After_a_rotation_the_old_keys_tokens_open_until_it_is_taken_out()
    {
        var old = await TokenAsync();
        var set = JsonNode.Parse(await File.ReadAllTextAsync(KeyFile))!;
        File.Delete(KeyFile);
        await host.RestartAsync();
        await ShouldBeRefusedAsync(old);
        var recent = await TokenAsync();

        var rotated = JsonNode.Parse(await File.ReadAllTextAsync(KeyFile))!;
        var retired = set["keys"]![0]!.DeepClone().AsObject();
        retired.Remove("d");
        rotated["keys"]!.AsArray().Add(retired);
        await File.WriteAllTextAsync(KeyFile, rotated.ToJsonString());
        await host.RestartAsync();
        await ShouldOpenAsync(old);
        await ShouldOpenAsync(recent);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"keys":[]}""")]
    [InlineData("""{"keys":[{"kid":"a","x":"AA","y":"AA","d":"AA"}]}""")]
    [InlineData("""{"keys":[{"kid":"a","kty":"RSA","x":"AA","y":"AA","d":"AA"}]}""")]
    public void A_key_file_that_cannot_be_used_says_so(string content)
    {
        var path = Path.Combine(host.DataFolder, "broken.json");
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Should.Throw<InvalidDataException>(() => Tokens.KeyRing.Open(path)).Message.ShouldContain(path);
    }

    [Fact]
    public void A_key_file_that_others_can_read_is_refused_with_the_command_to_run()
    {
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Should.Throw<InvalidDataException>(() => Tokens.KeyRing.Open(KeyFile))
            .Message.ShouldContain($"chmod 600 {KeyFile}");
    }

    private IEnumerable<string> Everything() =>
    [
        sample.Root + "master.m3u8", sample.Root + "manifest.mpd", sample.Root + "poster.jpg",
        sample.Path("index.m3u8"), sample.Path("init.mp4"), sample.Path("1.m4s"),
        sample.Path("4.m4s", SampleVersion.Audio),
    ];

    private async Task<string> TokenAsync(string body = "", SampleVersion? media = null)
    {
        using var answer = await host.Http.PostAsync(
            $"/v1/media/{(media ?? sample).MediaId}/playback", new StringContent(body));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!;
    }

    private async Task ShouldOpenAsync(string token) => await TextAsync($"{sample.Path("index.m3u8")}?token={token}");

    private async Task ShouldBeRefusedAsync(string token, string code = "token_invalid")
    {
        using var answer = await host.GetAsync($"{sample.Path("index.m3u8")}?token={token}");
        await ShouldBeProblemAsync(answer, HttpStatusCode.Forbidden, code);
        (await answer.Content.ReadAsStringAsync()).ShouldNotContain(token);
    }

    private async Task<string> TextAsync(string path)
    {
        using var answer = await host.GetAsync(path);
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return text;
    }

    private JsonObject Claims(Action<JsonObject>? change = null)
    {
        var now = host.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = "hexcast", ["aud"] = "hexcast-playback", ["sub"] = sample.MediaId, ["path"] = sample.Root,
            ["iat"] = now, ["nbf"] = now, ["exp"] = now + 60,
        };
        change?.Invoke(claims);
        return claims;
    }

    private ECDsa OurKey(out string kid)
    {
        var key = JsonNode.Parse(File.ReadAllText(KeyFile))!["keys"]![0]!;
        kid = (string)key["kid"]!;
        return ECDsa.Create(Parameters(key) with { D = Base64UrlEncoder.DecodeBytes((string)key["d"]!) });
    }

    private static ECParameters Parameters(JsonNode key) => new()
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint
        {
            X = Base64UrlEncoder.DecodeBytes((string)key["x"]!),
            Y = Base64UrlEncoder.DecodeBytes((string)key["y"]!),
        },
    };

    private static string Sign(ECDsa pair, string kid, JsonObject claims)
    {
        var header = Base64UrlEncoder.Encode($$"""{"alg":"ES256","typ":"JWT","kid":"{{kid}}"}""");
        var signed = $"{header}.{Base64UrlEncoder.Encode(claims.ToJsonString())}";
        var signature = pair.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return $"{signed}.{Base64UrlEncoder.Encode(signature)}";
    }
}
