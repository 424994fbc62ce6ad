using System.CommandLine;
using System.Text.Json;
using Hexcast.App.Client;

namespace Hexcast.App.Cli;

/// <summary>API tokens: make, list, revoke.</summary>
internal static class TokenCommand
{
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
        var scope = SharedOptions.OneOf<string[]>(
            "--scope", "What it may; may be given several times.", "upload", "read", "admin");
        scope.Required = true;
        var tenant = new Option<string?>("--tenant")
        {
            Description = "Whose media it sees. Without it: \"default\", or every tenant's with --scope admin.",
        };
        var expires = Duration.Option("--expires", "When it ends; without it never");
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
                    parsed.GetValue(name)!, parsed.GetValue(scope)!, parsed.GetValue(tenant),
                    (long?)parsed.GetValue(expires)?.TotalSeconds),
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
}
