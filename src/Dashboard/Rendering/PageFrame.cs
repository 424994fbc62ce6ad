using Hexcast.Platform.Access;

namespace Hexcast.Dashboard.Rendering;

/// <summary>What every page needs to know of its request; components take it as a cascading value.</summary>
public sealed class PageFrame
{
    private readonly PageAssets assets;

    internal PageFrame(PageAssets assets, string path, Theme theme, Principal? viewer)
    {
        this.assets = assets;
        Path = path;
        Theme = theme;
        Viewer = viewer;
    }

    /// <summary>With its query; where a form of the frame leads back to.</summary>
    public string Path { get; }

    public Theme Theme { get; }

    /// <summary>Null where nobody is signed in, which only some pages allow.</summary>
    public Principal? Viewer { get; }

    /// <summary>The address of one of the pages' own files, such as "library.js".</summary>
    public string Asset(string name) => assets.UrlOf(name);
}

/// <summary>What the viewer has chosen; <see cref="System"/> follows the device.</summary>
public enum Theme
{
    System,
    Light,
    Dark,
}
