namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>axe-core, as npm brought it for the pages.</summary>
internal static class Axe
{
    private static readonly Lazy<string> Text = new(() => File.ReadAllText(Path.Combine(
        Chromium.Checkout, "src", "Dashboard", "node_modules", "axe-core", "axe.min.js")));

    public static string Script => Text.Value;
}
