using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Hexcast.App.Client;

namespace Hexcast.App.Cli;

/// <summary>API tokens: make, list, revoke.</summary>
internal static class TokenCommand
{
    private static readonly Dictionary<char, TimeSpan> Units = new()
    {
        ['s'] = TimeSpan.FromSeconds(1),
        ['m'] = TimeSpan.FromMinutes(1),
        ['h'] = TimeSpan.FromHours(1),
        ['d'] = TimeSpan.FromDays(1),
    };

    public static Command Create(TimeProvider clock) => new ExampledCommand(
        "token", "API tokens: make, list, revoke. Needs a token with the scope admin.",
        "./hexcast token create cms --scope upload --scope read --expires 365d",
        "./hexcast token ls",
        "./hexcast token rm 31kbhetm5w3q00a1")
    {
        CreateToken(clock), ListTokens(clock), RevokeToken(clock),
    };

    private static ExampledCommand CreateToken(TimeProvider clock)
    {
        var name = new Argument<string>("NAME") { Description = "What people and the audit log know it by." };
        var scope = new Option<string[]>("--scope")
        {
            Description = "What it may: upload, read or admin; may be given several times.",
            Required = true,
        };
        scope.AcceptOnlyFromAmong("upload", "read", "admin");
        var tenant = new Option<string?>("--tenant")
        {
            Description = "Whose media it sees. Without it: \"default\", or every tenant's with --scope admin.",
        };
        var expires = new Option<long?>("--expires")
        {
            Description = "When it ends: a number with s, m, h or d, like 12h or 90d. Without it: never.",
            HelpName = "TIME",
            CustomParser = result =>
            {
                var text = result.Tokens.Single().Value;
                if (Seconds(text) is { } seconds)
                {
                    return seconds;
                }

                result.AddError($"--expires {text}: give a number with s, m, h or d, like 12h or 90d.");
                return null;
            },
        };
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "create", "Make a token. Its secret is shown this once.",
            "./hexcast token create cms --scope upload --scope read --tenant school --expires 365d",
            "export HEXCAST_TOKEN=$(./hexcast token create me --scope admin --json | jq -r .secret)")
        {
            name, scope, tenant, expires, json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var client = server.Connect(parsed, clock);
            var made = await client.CreateTokenAsync(
                new TokenRequest(
                    parsed.GetValue(name)!, parsed.GetValue(scope)!, parsed.GetValue(tenant), parsed.GetValue(expires)),
                cancel);
            if (output.Json)
            {
                output.Document(made);
                return ExitCode.Success;
            }

            var token = made.Deserialize<TokenDocument>(Wire.Json)!;
            output.Say($"{token.Id} ({token.Name}) may {string.Join(", ", token.Scopes)}{TenantOf(token)}");
            output.Say($"{token.Secret}");
            output.Say("Keep it now: it is not shown again.");
            return ExitCode.Success;
        });
        return command;
    }

    private static ExampledCommand ListTokens(TimeProvider clock)
    {
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "ls", "List tokens, without their secrets.", "./hexcast token ls", "./hexcast token ls --json")
        {
            json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var client = server.Connect(parsed, clock);
            var found = await client.ListTokensAsync(cancel);
            if (output.Json)
            {
                output.Document(found);
            }
            else
            {
                MediaTables.Tokens(output, found.Deserialize<TokenList>(Wire.Json)!.Tokens);
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static ExampledCommand RevokeToken(TimeProvider clock)
    {
        var id = new Argument<string>("ID") { Description = "The token's id, as ls shows it." };
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "rm", "Revoke a token: it and every browser that signed in with it are out at once.",
            "./hexcast token rm 31kbhetm5w3q00a1",
            "./hexcast token rm 31kbhetm5w3q00a1 --json")
        {
            id, json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var client = server.Connect(parsed, clock);
            var tokenId = parsed.GetValue(id)!;
            await client.RevokeTokenAsync(tokenId, cancel);
            output.Say($"revoked {tokenId}");
            if (output.Json)
            {
                output.Document(new { id = tokenId, revoked = true });
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static string TenantOf(TokenDocument token) =>
        token.Tenant is { } tenant ? $" in the tenant {tenant}" : " in every tenant";

    /// <summary>"90d" → 7776000; null: no time.</summary>
    private static long? Seconds(string text) =>
        text.Length > 1 && Units.TryGetValue(text[^1], out var unit)
        && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
        && count > 0
            ? (long)unit.TotalSeconds * count : null;
}
