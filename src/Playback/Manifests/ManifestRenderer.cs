using Hexcast.Media.Manifests;
using Hexcast.Playback.Versions;

namespace Hexcast.Playback.Manifests;

/// <summary>The kinds of manifest of a version, each made once a revision.</summary>
internal static class ManifestRenderer
{
    public const string TextType = "text/vtt; charset=utf-8";

    private const string HlsType = "application/vnd.apple.mpegurl", DashType = "application/dash+xml";

    public static ManifestBytes HlsMaster(PlayableVersion version) => version.Manifest(
        "master.m3u8",
        static v => new ManifestBytes(
            HlsType, HlsManifest.Master(v.Index, id => $"{v.Version}/{id}/index.m3u8{ManifestBytes.MarkedQuery}")));

    public static ManifestBytes Dash(PlayableVersion version) => version.Manifest(
        "manifest.mpd",
        static v => new ManifestBytes(
            DashType, DashManifest.Mpd(v.Index, v.Version, ManifestBytes.MarkedQuery, v.CreatedAt, v.SeenAt)));

    public static ManifestBytes HlsMedia(PlayableVersion version, string rendition) => version.Manifest(
        rendition,
        v => new ManifestBytes(HlsType, HlsManifest.Media(v.Index, rendition, ManifestBytes.MarkedQuery)));

    public static ManifestBytes HlsSubtitles(PlayableVersion version) => version.Manifest(
        "subtitles.m3u8",
        static v => new ManifestBytes(
            HlsType, HlsManifest.Subtitles(v.Index, DashManifest.TextFileName, ManifestBytes.MarkedQuery)));

    public static ManifestBytes Storyboard(PlayableVersion version, PlayableStoryboard storyboard) => version.Manifest(
        "storyboard.vtt",
        v => new ManifestBytes(
            TextType,
            StoryboardManifest.WebVtt(
                storyboard.Index, sheet => $"{v.Version}/storyboard/{sheet}.jpg{ManifestBytes.MarkedQuery}")));
}
