using System.Reflection;
using System.Runtime.InteropServices;
using Hexcast.Dashboard.Rendering;
using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Http;
using Hexcast.Platform.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Dashboard.Pages.Settings;

/// <summary>GET /settings, /settings/tokens and /settings/audit. The last two fill themselves from the API.</summary>
internal sealed class SettingsEndpoints(
    NodeSettings node, NodeRoles roles, IEnumerable<OptionsInEffect> options, PageRenderer renderer)
{
    public void Map(IEndpointRouteBuilder http)
    {
        http.MapGet("/settings", ShowAsync).RequireScope(Scope.Admin, everyTenant: true).Page()
            .DescribePage("Show the settings");
        http.MapGet("/settings/tokens", context => renderer.AnswerAsync<TokensPage>(context, []))
            .RequireScope(Scope.Admin).Page().DescribePage("Show the tokens");
        http.MapGet("/settings/audit", context => renderer.AnswerAsync<AuditPage>(context, []))
            .RequireScope(Scope.Admin).Page().DescribePage("Show the audit log");
    }

    private Task ShowAsync(HttpContext context) =>
        renderer.AnswerAsync<SettingsPage>(context, new() { [nameof(SettingsPage.View)] = View() });

    private SettingsView View() => new(
        Version(),
        RuntimeInformation.FrameworkDescription,
        node.NodeId,
        node.DataFolder,
        roles.Names,
        [.. options.OrderBy(section => section.Section, StringComparer.Ordinal).Select(View)]);

    /// <summary>"1.0.0 (adb42bc7)": with the commit that it was built from.</summary>
    private static string Version()
    {
        var full = typeof(NodeSettings).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+', 2);
        return full.Length == 1 ? full[0] : $"{full[0]} ({full[1][..Math.Min(8, full[1].Length)]})";
    }

    private static OptionsView View(OptionsInEffect section)
    {
        var usual = section.Defaults();
        return new OptionsView(section.Section, [.. section.Shown().Select(option =>
            new OptionView(option.Key, Written(option.Value), Written(option.Value) == Written(usual[option.Key])))]);
    }

    private static string Written(object? value) => value switch
    {
        null => "",
        IEnumerable<object?> list => string.Join(", ", list),
        bool yes => yes ? "true" : "false",
        _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "",
    };
}
