using Google.Protobuf;
using Hexcast.Contracts.V1;

namespace Hexcast.Access.Credentials;

/// <summary>Access's keys in the coordinator.</summary>
internal static class CredentialKeys
{
    public const string All = "/hexcast/access/";
    private const string Tokens = All + "tokens/", Uses = All + "used/", AllSessions = All + "sessions/";

    public static string Token(string id) => Tokens + id;

    public static string Use(string tokenId) => Uses + tokenId;

    public static string Session(string tokenId, string id) => Sessions(tokenId) + id;

    public static string Sessions(string tokenId) => $"{AllSessions}{tokenId}/";

    /// <returns>Null: a newer release's key.</returns>
    public static IMessage? Parse(string key, ByteString value) =>
        key.StartsWith(Tokens, StringComparison.Ordinal) ? AccessToken.Parser.ParseFrom(value)
        : key.StartsWith(AllSessions, StringComparison.Ordinal) ? AccessSession.Parser.ParseFrom(value)
        : key.StartsWith(Uses, StringComparison.Ordinal) ? AccessUse.Parser.ParseFrom(value)
        : null;
}
