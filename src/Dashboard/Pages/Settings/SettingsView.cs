namespace Hexcast.Dashboard.Pages.Settings;

/// <summary>What runs, and with which options.</summary>
public sealed record SettingsView(
    string Version, string Runtime, string NodeId, string DataFolder, IReadOnlyList<string> Roles,
    IReadOnlyList<OptionsView> Options);

public sealed record OptionsView(string Section, IReadOnlyList<OptionView> Options);

/// <param name="IsDefault">Nobody has set it, or to what it is by default.</param>
public sealed record OptionView(string Name, string Value, bool IsDefault);
