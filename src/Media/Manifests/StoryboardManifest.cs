using System.Globalization;
using System.Text;
using Hexcast.Media.Subtitles;

namespace Hexcast.Media.Manifests;

/// <summary>
/// WebVTT whose cues are addresses of pictures: the common form of thumbnails on a seek bar. The place on the sheet is
/// a media fragment (Media Fragments URI 1.0, 4.2.2).
/// </summary>
public static class StoryboardManifest
{
    /// <param name="sheetUri">Address of a sheet, by its number from 0, with any query.</param>
    public static string WebVtt(StoryboardIndex index, Func<int, string> sheetUri)
    {
        var text = new StringBuilder("WEBVTT\n");
        var perSheet = index.Columns * index.Rows;
        for (var i = 0; i < index.StartSeconds.Count; i++)
        {
            var end = i + 1 < index.StartSeconds.Count ? index.StartSeconds[i + 1] : index.EndSeconds;
            var (x, y) = (i % index.Columns * index.TileWidth, i % perSheet / index.Columns * index.TileHeight);
            text.Append(CultureInfo.InvariantCulture, $"\n{Time(index.StartSeconds[i])} --> {Time(end)}\n")
                .Append(CultureInfo.InvariantCulture,
                    $"{sheetUri(i / perSheet)}#xywh={x},{y},{index.TileWidth},{index.TileHeight}\n");
        }

        return text.ToString();
    }

    private static string Time(double seconds) => SubtitleText.Time(TimeSpan.FromSeconds(seconds));
}
