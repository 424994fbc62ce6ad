using Hexcast.EndToEnd;

[assembly: AssemblyFixture(typeof(SharedPlatform))]

namespace Hexcast.EndToEnd;

/// <summary>One platform for all tests that only use it; those that break it start their own.</summary>
public sealed class SharedPlatform : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private PlatformProcess? platform;

    internal PlatformProcess Platform => platform!;

    internal HexcastApi Api => platform!.Api;

    internal HttpClient Http => platform!.Http;

    /// <summary>What a browser shows with each request, as one who is signed in.</summary>
    internal (string Name, string Value) SignedIn => ("Authorization", $"Bearer {platform!.AdminToken}");

    internal string Url(string path) => new Uri(platform!.Http.BaseAddress!, path).ToString();

    /// <summary>A path for a clip that a test makes.</summary>
    internal string File(string name) => Path.Combine(folder.Path, name);

    public async ValueTask InitializeAsync() =>
        platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));

    public async ValueTask DisposeAsync()
    {
        if (platform is not null)
        {
            await platform.DisposeAsync();
        }

        folder.Dispose();
    }
}
