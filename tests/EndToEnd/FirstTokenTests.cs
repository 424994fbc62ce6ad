using System.Net;

namespace Hexcast.EndToEnd;

/// <summary>The admin token as whoever starts a platform sees it.</summary>
public sealed class FirstTokenTests
{
    [Fact]
    public async Task The_admin_token_is_shown_at_the_first_start_on_standard_error_and_never_again()
    {
        using var folder = new TempFolder();
        await using var platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));
        await WaitForWordsAsync(platform, times: 1);
        var token = platform.AdminToken;
        platform.Errors.ShouldContain($"hexcast: sign in with the admin token {token} (shown this once");
        using (var answer = await platform.Http.GetAsync("/v1/session"))
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        (await platform.StopAsync()).ShouldBe(0);
        await platform.StartAgainAsync();
        await WaitForWordsAsync(platform, times: 2);
        (await platform.StopAsync()).ShouldBe(0);

        platform.AdminToken.ShouldBe(token);
        platform.Errors.Split("\n").ShouldContain(
            $"hexcast: sign in with the admin token in {platform.DataFolder}/admin.token");
        // Once in all, standard output with its log lines included.
        platform.Log.Split(token).Length.ShouldBe(2);
    }

    private static Task WaitForWordsAsync(PlatformProcess platform, int times) => Wait.ForAsync(
        () => Task.FromResult(platform.Errors.Split("hexcast: sign in with").Length == times + 1),
        TimeSpan.FromSeconds(30),
        () => $"standard error is\n{platform.Errors}");
}
