namespace Hexcast.Dashboard.Layout;

/// <summary>Where in the navigation a page belongs.</summary>
public enum Place
{
    Library,
    Upload,
    Nodes,
    Settings,
}
