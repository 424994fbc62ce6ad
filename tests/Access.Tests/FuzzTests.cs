using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Hexcast.Access.Tests;

/// <summary>Whatever is sent for a credential ends in a named error, and the node goes on.</summary>
public sealed class FuzzTests
{
    private const int Cases = 300;

    [Fact]
    public async Task Random_headers_cookies_and_bodies_end_in_named_errors()
    {
        await using var node = await AccessNode.StartAsync();
        var cookie = await node.SignInAsync(node.AdminToken);
        var random = new Random(7);
        for (var i = 0; i < Cases; i++)
        {
            var (method, path, name, value, body) = Next(random, cookie, node.AdminToken);
            using var request = new HttpRequestMessage(method, path);
            if (body is not null)
            {
                request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            }

            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content!.Headers.TryAddWithoutValidation(name, value);
            }

            // Every address has its limit, which would answer everything after a while.
            node.Clock.Advance(TimeSpan.FromMinutes(5));
            using var answer = await node.Http.SendAsync(request, TestContext.Current.CancellationToken);
            var text = await answer.Content.ReadAsStringAsync();
            var where = $"case {i}: {method} {path} {name}: {value} {body} → {text}";
            ((int)answer.StatusCode).ShouldBeLessThan(500, where);
            if (answer.StatusCode >= HttpStatusCode.BadRequest && text.Length > 0)
            {
                ((string)JsonNode.Parse(text)!["code"]!).ShouldNotBe("internal", where);
            }
            else if (answer.StatusCode == HttpStatusCode.SeeOther)
            {
                answer.Headers.Location!.OriginalString.ShouldStartWith("/sign-in?", Case.Sensitive, where);
            }
        }
    }

    private static (HttpMethod Method, string Path, string Name, string Value, string? Body) Next(
        Random random, string cookie, string token) => random.Next(5) switch
        {
            0 => (HttpMethod.Get, "/read", "Authorization", "Bearer " + Text(random), null),
            1 => (HttpMethod.Get, "/read", "Cookie", $"hexcast_session={Spoilt(cookie[16..], random)}", null),
            2 => (HttpMethod.Post, "/v1/session", "Content-Type", "application/json", Text(random)),
            3 => (HttpMethod.Post, "/v1/session", "Content-Type", "application/x-www-form-urlencoded",
                $"token={Text(random)}&next={Text(random)}"),
            _ => (HttpMethod.Get, "/v1/audit?cursor=" + Uri.EscapeDataString(Text(random)), "Authorization",
                "Bearer " + token, null),
        };

    // Printable: the client itself refuses to send anything else as a header.
    private static string Text(Random random) => string.Concat(Enumerable.Range(0, random.Next(60))
        .Select(_ => (char)random.Next(' ', '\x7f')));

    private static string Spoilt(string text, Random random)
    {
        var spoilt = text.ToCharArray();
        spoilt[random.Next(spoilt.Length)] = (char)random.Next('!', '\x7f');
        return random.Next(3) == 0 ? new string(spoilt)[..random.Next(spoilt.Length)] : new string(spoilt);
    }
}
