using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;

namespace Hexcast.Access.Http;

/// <summary>What the API's document says of tokens, sessions and the audit log.</summary>
internal static class AccessOperations
{
    public static Operation ListTokens(Operation list) => list
        .Says("The oldest first; one of a tenant sees its tenant's.")
        .Answers<TokensAnswer>(200, "every token, without its secret");

    public static Operation CreateToken(Operation create) => create
        .Says("An admin of one tenant makes tokens of that tenant.")
        .Takes<TokenRequest>("at most 4 KiB; other fields are refused")
        .Answers<NewTokenAnswer>(201, "the token with its secret, which is not shown again")
        .Fails(ErrorCodes.InvalidArgument, ErrorCodes.TooLarge, ErrorCodes.ResourceExhausted);

    public static Operation RevokeToken(Operation revoke) => revoke
        .Path("id", Value.Text(), "of the token")
        .Answers(204, "it is worth nothing any more, and sessions that began with it have ended")
        .Fails(ErrorCodes.NotFound, ErrorCodes.Conflict);

    public static Operation SignIn(Operation signIn) => signIn
        .Says("A form (`token`, `next`) is answered with 303 to `next`, or back to the sign-in page.")
        .Takes<SignInRequest>("at most 8 KiB")
        .Answers(204, "signed in")
        .With("Set-Cookie", "`hexcast_session`; over TLS `__Host-hexcast_session`")
        .Answers(303, "the answer to a form")
        .With("Location", "a path of this server")
        .Fails(
            ErrorCodes.InvalidArgument, ErrorCodes.CredentialInvalid, ErrorCodes.CredentialExpired,
            ErrorCodes.TooManyAttempts, ErrorCodes.TooLarge, ErrorCodes.UnsupportedMediaType);

    public static Operation Tell(Operation tell) => tell.Answers<SessionAnswer>(200, "by cookie or by token");

    public static Operation SignOut(Operation signOut) => signOut
        .Answers(204, "signed out, also where nobody was signed in")
        .With("Set-Cookie", "takes the cookie away");

    public static Operation SignOutToPage(Operation signOut) => signOut
        .Answers(303, "signed out; to the sign-in page");

    public static Operation Audit(Operation audit) => audit
        .Says("The newest first. A page may hold fewer than asked for; go on while there is a `next_cursor`.")
        .Query(
            "limit", Value.Number(1, AuditEndpoints.HighestLimit, AuditEndpoints.DefaultLimit), "entries a page")
        .Query("cursor", Value.Text(), "the `next_cursor` of the page before")
        .Answers<AuditAnswer>(200, "a page of entries")
        .Fails(ErrorCodes.InvalidArgument);
}
