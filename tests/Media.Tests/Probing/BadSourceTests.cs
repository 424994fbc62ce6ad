using Hexcast.Media.Planning;
using Hexcast.Media.Probing;
using Hexcast.Media.Tests.Support;

namespace Hexcast.Media.Tests.Probing;

/// <summary>Real ffprobe on files that are not what they seem.</summary>
public sealed class BadSourceTests(Clips clips) : IClassFixture<Clips>
{
    [Fact]
    public Task An_empty_file_is_no_media() => ShouldFail("empty.mp4", [], MediaErrorCode.SourceNotMedia);

    [Fact]
    public Task Text_is_no_media() =>
        ShouldFail("text.mp4", "Dear diary,\n"u8.ToArray(), MediaErrorCode.SourceNotMedia);

    [Fact]
    public async Task A_file_that_was_cut_off_before_its_index_is_no_media()
    {
        var whole = await File.ReadAllBytesAsync(await clips.Get("cfr25.mp4"), TestContext.Current.CancellationToken);
        await ShouldFail("cut.mp4", whole[..(whole.Length / 2)], MediaErrorCode.SourceNotMedia);
    }

    [Fact]
    public async Task A_file_that_was_cut_off_behind_its_index_is_truncated()
    {
        var clip = await clips.Get("index-first.mp4");
        var whole = await File.ReadAllBytesAsync(clip, TestContext.Current.CancellationToken);
        var path = Path.Combine(clips.Folder, "cut-behind-index.mp4");
        await File.WriteAllBytesAsync(path, whole[..(whole.Length / 2)], TestContext.Current.CancellationToken);

        var (probe, packets) = await LocalTranscode.ProbeFile(path);
        var error = Should.Throw<MediaException>(() => TranscodePlan.Build(probe, packets, LocalTranscode.Small));
        error.Code.ShouldBe(MediaErrorCode.SourceTruncated);
        error.Message.ShouldEndWith("of 13.0 s: it was cut off. Upload it again.");
    }

    // Were one of these read, the file that it names would be part of the video, or an address would be called.
    [Theory]
    [InlineData("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nFILE\n#EXT-X-ENDLIST\n")]
    [InlineData("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n")]
    [InlineData("ffconcat version 1.0\nfile 'FILE'\n")]
    [InlineData("<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "
        + "profiles=\"urn:mpeg:dash:profile:isoff-main:2011\"><Period><AdaptationSet><Representation>"
        + "<BaseURL>FILE</BaseURL></Representation></AdaptationSet></Period></MPD>")]
    [InlineData("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"
        + "a=rtpmap:96 H264/90000\n")]
    public async Task A_file_that_names_others_is_refused_whatever_it_is_called(string text)
    {
        var secret = await clips.Get("cfr25.mp4");
        foreach (var name in new[] { "list.mp4", "list.mkv", "list.ts", "list.m3u8", "list.mpd" })
        {
            var path = Path.Combine(clips.Folder, $"{Guid.CreateVersion7():N}-{name}");
            await File.WriteAllTextAsync(
                path, text.Replace("FILE", secret, StringComparison.Ordinal), TestContext.Current.CancellationToken);
            var result = await Tool.Try("ffprobe", ProbeArguments.Streams(path));
            result.ExitCode.ShouldNotBe(0, name);
            SourceProbe.Failure(result.Errors, 100).Code
                .ShouldBeOneOf(MediaErrorCode.SourceUnsupportedFormat, MediaErrorCode.SourceNotMedia);
        }
    }

    [Fact]
    public void A_refused_playlist_is_called_one() => SourceProbe
        .Failure("[hls @ 0x1] Format not on whitelist 'mov'\nlist.mp4: Invalid argument", 100)
        .ShouldSatisfyAllConditions(
            e => e.Code.ShouldBe(MediaErrorCode.SourceUnsupportedFormat),
            e => e.Message.ShouldContain("refers to other files"));

    [Theory]
    [InlineData("sound-only.mp4")]
    [InlineData("cover.mp4")]
    public async Task Sound_with_or_without_a_cover_picture_has_no_video(string name) =>
        SourceProbe.Parse(await Tool.Run("ffprobe", ProbeArguments.Streams(await clips.Get(name))))
            .Video.ShouldBeNull();

    [Fact]
    public async Task A_path_means_only_itself()
    {
        var clip = await clips.Get("cfr25.mp4");
        var odd = Path.Combine(clips.Folder, "-concat:a|b %03d é.mp4");
        File.Copy(clip, odd, overwrite: true);
        SourceProbe.Parse(await Tool.Run("ffprobe", ProbeArguments.Streams(odd))).Video!.Width.ShouldBe(320);
    }

    private async Task ShouldFail(string name, byte[] bytes, MediaErrorCode code)
    {
        var path = Path.Combine(clips.Folder, name);
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        var result = await Tool.Try("ffprobe", ProbeArguments.Streams(path));
        result.ExitCode.ShouldNotBe(0);
        SourceProbe.Failure(result.Errors, bytes.Length).Code.ShouldBe(code);
    }
}
