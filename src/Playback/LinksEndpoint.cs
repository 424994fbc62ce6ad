using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Media.Manifests;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Hexcast.Playback.Tokens;
using Hexcast.Playback.Versions;
using Microsoft.AspNetCore.Http;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Playback;

/// <summary>POST /v1/media/{media_id}/playback: the addresses to play a media, with a token where needed.</summary>
internal sealed class LinksEndpoint(
    Wire.Catalog.CatalogClient catalog, VersionCache versions, PlaybackTokens tokens, PlaybackOptions options)
{
    private const int BodyLimitBytes = 4096;
    private const string Expected = "nothing, or a JSON object with ttl_seconds, policy or cookie";
    private const string PublicName = "public", SignedName = "signed";

    public async Task HandleAsync(HttpContext context)
    {
        if (!MediaId.TryParse((string?)context.Request.RouteValues["media_id"], out var mediaId))
        {
            throw new HexcastException(ErrorCodes.NotFound, "This is no media id.");
        }

        var asked = await JsonBody.ReadAsync(context.Request, BodyLimitBytes, Expected, whenEmpty: new LinksRequest());
        var lifetime = Lifetime(asked.TtlSeconds);
        var media = await GetMediaAsync(mediaId, context.RequestAborted);
        if (!context.Principal().Sees(media.Tenant))
        {
            throw new HexcastException(ErrorCodes.NotFound, $"There is no media '{mediaId}'.");
        }

        var policy = Policy(asked.Policy, IndexConversion.ToPolicy(media.Policy));
        var version = await versions.FindAsync(mediaId, context.RequestAborted);
        await context.Audit().RequireAsync(context);
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(
            LinksTo(context.Response, mediaId, policy, lifetime, asked.Cookie, version),
            context.RequestAborted);
    }

    private LinksAnswer LinksTo(
        HttpResponse response, MediaId mediaId, AccessPolicy policy, TimeSpan lifetime, bool cookie,
        PlayableVersion? version)
    {
        var root = PlaybackTokens.PathOf(mediaId);
        if (policy == AccessPolicy.Public)
        {
            return LinksAnswer.To(root, "", version, PublicName, expiresAt: null, token: null);
        }

        var (token, expiresAt) = tokens.Issue(mediaId, lifetime);
        if (cookie)
        {
            response.Cookies.Append(
                ViewerAccess.Cookie,
                token,
                new CookieOptions
                {
                    Path = root, Expires = expiresAt, HttpOnly = true, SameSite = SameSiteMode.Strict,
                    Secure = response.HttpContext.Request.IsHttps,
                });
        }

        var query = cookie ? "" : $"?{ViewerAccess.QueryName}={token}";
        return LinksAnswer.To(root, query, version, SignedName, expiresAt, token);
    }

    private async Task<Wire.MediaRecord> GetMediaAsync(MediaId mediaId, CancellationToken cancel)
    {
        try
        {
            return await catalog.GetMediaAsync(
                new Wire.GetMediaRequest { MediaId = mediaId.ToString() }, cancellationToken: cancel);
        }
        catch (RpcException failure)
        {
            throw GrpcErrors.Unwrap(failure);
        }
    }

    private TimeSpan Lifetime(long? ttlSeconds)
    {
        var limit = (long)options.TokenLifetimeLimit.TotalSeconds;
        return ttlSeconds switch
        {
            null => options.TokenLifetime,
            { } asked when asked < 1 || asked > limit => throw Invalid(
                $"An address may last at most {InWords(options.TokenLifetimeLimit)} (Playback:TokenLifetimeLimit); "
                + $"ttl_seconds is 1 to {limit}."),
            { } asked => TimeSpan.FromSeconds(asked),
        };
    }

    private static string InWords(TimeSpan time) =>
        time.Ticks % TimeSpan.TicksPerHour == 0 ? $"{(long)time.TotalHours} h" : $"{(long)time.TotalSeconds} s";

    /// <summary>A request may ask for more than the media's policy, never for less.</summary>
    private static AccessPolicy Policy(string? asked, AccessPolicy media) => (asked, media) switch
    {
        (null, _) => media,
        (SignedName, _) => AccessPolicy.Signed,
        (PublicName, AccessPolicy.Public) => AccessPolicy.Public,
        (PublicName, _) => throw Invalid("This media's policy is signed. Change it first: PATCH /v1/media/{id}."),
        _ => throw Invalid("policy is \"public\" or \"signed\"."),
    };

    private static HexcastException Invalid(string message) => new(ErrorCodes.InvalidArgument, message);
}

internal sealed record LinksRequest
{
    [Description("How long the token lasts, up to `Playback:TokenLifetimeLimit`; otherwise `Playback:TokenLifetime`.")]
    [Range(1, 7 * 24 * 3600)]
    public long? TtlSeconds { get; init; }

    [Description("`signed` asks for a token for a public media too; `public` cannot open a signed one.")]
    [AllowedValues("public", "signed", null)]
    public string? Policy { get; init; }

    [Description("True: the token is set as the cookie `hexcast_play`, and the addresses come without it.")]
    public bool Cookie { get; init; }
}

internal sealed record LinksAnswer(
    [property: AllowedValues("public", "signed")] string Policy,
    DateTimeOffset? ExpiresAt,
    string? Token,
    string Hls,
    string Dash,
    string Poster,
    [property: Description("Null while there is none.")] string? Storyboard,
    [property: Description("Empty until the media is ready.")] IReadOnlyList<TextLink> Subtitles)
{
    public static LinksAnswer To(
        string root, string query, PlayableVersion? version, string policy, DateTimeOffset? expiresAt,
        string? token) => new(
            policy,
            expiresAt,
            token,
            $"{root}master.m3u8{query}",
            $"{root}manifest.mpd{query}",
            $"{root}poster.jpg{query}",
            version?.Storyboard is null ? null : $"{root}storyboard.vtt{query}",
            [
                .. (version?.Index.Subtitles ?? []).Select(track => new TextLink(
                    track.Id, track.Language, track.Label, track.IsDefault, track.IsForced,
                    $"{root}{version!.Version}/{track.Id}/{DashManifest.TextFileName}{query}")),
            ]);
}

internal sealed record TextLink(
    string Id,
    [property: Description("BCP 47; `und` where the source does not say.")] string Language,
    string Label,
    bool Default,
    bool Forced,
    [property: Description("WebVTT of the whole video.")] string Url);
