using System.Text;
using Hexcast.Media.Manifests;
using Hexcast.Media.Planning;
using Hexcast.Media.Subtitles;

namespace Hexcast.Media.Tests.Manifests;

/// <summary>The indexes of storyboards and subtitles: what contradicts itself is refused by name.</summary>
public sealed class ExtraIndexTests
{
    private const string Hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private static readonly StoryboardIndex Storyboard = new()
    {
        TileWidth = 160, TileHeight = 90, Columns = 2, Rows = 1, StartSeconds = [0, 2, 4], EndSeconds = 5,
        Sheets = [File("sheet-0.jpg"), File("sheet-1.jpg")],
    };

    private static readonly SubtitleIndex Subtitles = new()
    {
        Tracks =
        [
            new StoredSubtitle
            {
                Track = new SubtitlePlan { Id = "sub-en", StreamIndex = 2, Language = "en", Label = "English" },
                File = File("sub-en.vtt"),
            },
        ],
        Skipped = [new SkippedSubtitle("dvd_subtitle", "fr", "pictures")],
    };

    [Fact]
    public void What_is_written_is_read_again()
    {
        StoryboardIndex.FromJson(Storyboard.ToJson()).ToJson().ShouldBe(Storyboard.ToJson());
        SubtitleIndex.FromJson(Subtitles.ToJson()).ToJson().ShouldBe(Subtitles.ToJson());
    }

    [Theory]
    [InlineData("\"version\":1", "\"version\":2")]
    [InlineData("\"tileWidth\":160", "\"tileWidth\":0")]
    [InlineData("\"tileHeight\":90", "\"tileHeight\":9000")]
    [InlineData("\"columns\":2", "\"columns\":11")]
    [InlineData("\"rows\":1", "\"rows\":2")]
    [InlineData("[0,2,4]", "[0,4,2]")]
    [InlineData("[0,2,4]", "[-1,2,4]")]
    [InlineData("[0,2,4]", "[]")]
    [InlineData("\"endSeconds\":5", "\"endSeconds\":4")]
    [InlineData("\"endSeconds\":5", "\"endSeconds\":1e999")]
    [InlineData("sheet-0.jpg", "../sheet-0.jpg")]
    [InlineData("\"length\":3", "\"length\":0")]
    [InlineData("0123", "xyz0")]
    [InlineData("\"sheets\":[", "\"sheets\":[null,")]
    [InlineData("\"sheets\":[{", "\"sheets\":7,\"x\":[{")]
    public void A_storyboard_that_contradicts_itself_is_refused(string sound, string broken) =>
        Refused(Storyboard.ToJson(), sound, broken, json => StoryboardIndex.FromJson(json));

    [Theory]
    [InlineData("\"version\":1", "\"version\":2")]
    [InlineData("\"id\":\"sub-en\"", "\"id\":\"../en\"")]
    [InlineData("\"id\":\"sub-en\"", "\"id\":\"h264-720\"")]
    [InlineData("\"language\":\"en\"", "\"language\":\"e n\"")]
    [InlineData("English", "Eng\\nlish")]
    [InlineData("sub-en.vtt", "a/b.vtt")]
    [InlineData("\"tracks\":[", "\"tracks\":[null,")]
    [InlineData("\"skipped\":[", "\"skipped\":[null,")]
    [InlineData("{\"version\"", "[{\"version\"")]
    public void Subtitles_that_contradict_themselves_are_refused(string sound, string broken) =>
        Refused(Subtitles.ToJson(), sound, broken, json => SubtitleIndex.FromJson(json));

    private static void Refused(byte[] json, string sound, string broken, Func<byte[], object> read)
    {
        var text = Encoding.UTF8.GetString(json);
        text.ShouldContain(sound);
        Should.Throw<MediaException>(() => read(Encoding.UTF8.GetBytes(text.Replace(sound, broken))))
            .Code.ShouldBe(MediaErrorCode.IndexInvalid);
    }

    private static StoredFile File(string name) => new() { Name = name, Length = 3, Sha256 = Hash };
}
