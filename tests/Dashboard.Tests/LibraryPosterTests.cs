using System.Net;
using System.Text.RegularExpressions;
using Google.Protobuf.WellKnownTypes;
using Hexcast.Contracts.V1;
using Hexcast.Playback.Tests.Support;

namespace Hexcast.Dashboard.Tests;

/// <summary>The library's pictures, fetched from the real Playback beside it.</summary>
public sealed partial class LibraryPosterTests : IAsyncLifetime
{
    private PlaybackHost host = null!;

    public async ValueTask InitializeAsync() =>
        host = await PlaybackHost.StartAsync(manualClock: true, new DashboardModule());

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Theory]
    [InlineData("public")]
    [InlineData("signed")]
    public async Task A_cards_picture_opens_to_whoever_has_the_card(string policy)
    {
        var media = await SampleVersion.PutAsync(host, policy);
        host.Catalog.Describe = Dress;
        var card = await host.Http.GetStringAsync($"/library/cards?id={media.MediaId}");
        var address = WebUtility.HtmlDecode(Picture().Match(card).Groups["src"].Value);
        address.ShouldStartWith($"/play/{media.MediaId}/poster.jpg");
        // A browser that shows the page shows nothing but the address.
        using var bare = new HttpClient { BaseAddress = host.Http.BaseAddress };
        (await bare.GetByteArrayAsync(address)).ShouldBe(media.Poster);
    }

    [Fact]
    public async Task A_library_whose_pictures_cannot_be_opened_is_there_without_them()
    {
        var media = await SampleVersion.PutAsync(host, "signed");
        host.Catalog.Describe = listed =>
        {
            Dress(listed);
            host.Catalog.Remove(media.MediaId);
        };
        var card = await host.Http.GetStringAsync($"/library/cards?id={media.MediaId}");
        card.ShouldContain("A sample");
        card.ShouldNotContain("<img");
    }

    private static void Dress(ListedMedia listed)
    {
        listed.HasPoster = true;
        listed.Media.CreatedAt = DateTimeOffset.UnixEpoch.ToTimestamp();
    }

    [GeneratedRegex("<img src=\"(?<src>[^\"]*)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Picture();
}
