using System.Reflection;
using System.Runtime.InteropServices;
using Hexcast.Dashboard.Rendering;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Http;
using Hexcast.Platform.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Dashboard.Pages.Settings;

/// <summary>GET /settings: what runs, and with which options. GET /settings/audit: who did what.</summary>
internal sealed class SettingsEndpoints(
    NodeSettings node, NodeRoles roles, IEnumerable<OptionsInEffect> options, PageRenderer renderer,
    IServiceProvider services)
{
    private const int AuditPageSize = 50;

    public void Map(IEndpointRouteBuilder http)
    {
        http.MapGet("/settings", ShowAsync).RequireScope(Scope.Admin, everyTenant: true).Page()
            .DescribePage("Show the settings");
        http.MapGet("/settings/audit", ShowAuditAsync).RequireScope(Scope.Admin).Page()
            .DescribePage("Show the audit log");
    }

    private Task ShowAuditAsync(HttpContext context)
    {
        // The role that keeps it need not run on this node.
        var log = services.GetService<IAuditReader>() ?? throw new HexcastException(
            ErrorCodes.Unavailable, "Nobody on this node knows the audit log: start the role access too.");
        var cursor = context.Request.Query["cursor"].ToString();
        return renderer.AnswerAsync<AuditPage>(context, new()
        {
            [nameof(AuditPage.Listing)] = log.Read(AuditPageSize, cursor, context.Principal().Tenant),
            [nameof(AuditPage.IsFirst)] = cursor.Length == 0,
        });
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
