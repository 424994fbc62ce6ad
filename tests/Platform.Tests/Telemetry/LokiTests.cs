using System.Globalization;
using System.Net;
using System.Text.Json;
using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using YamlDotNet.Serialization;

namespace Hexcast.Platform.Tests.Telemetry;

/// <summary>
/// deploy/observability/loki against the lines that a node writes. Neither promtail nor Loki is in Debian; that what
/// they read is there is what can be proven without them.
/// </summary>
public sealed class LokiTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-loki-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Every_field_that_promtail_takes_out_of_a_line_is_in_every_line_of_a_node()
    {
        var stages = Stages();
        var expressions = Map(Stage(stages, "json")["expressions"]);
        expressions.Keys.ShouldBe(["time", "level", "role"], ignoreOrder: true);
        var lines = await LinesOfANodeAsync();
        lines.Count.ShouldBeGreaterThan(1);
        foreach (var (name, field) in expressions)
        {
            // JMESPath: a plain name is a field of that name, and nothing means the expression's own.
            var key = field as string ?? name;
            lines.Select(Names).ShouldAllBe(names => names.Contains(key), $"promtail reads {key}");
        }

        // What is made a label or a time was taken out before.
        Stage(stages, "labels").Keys.ShouldBeSubsetOf(expressions.Keys);
        var timestamp = Stage(stages, "timestamp");
        expressions.Keys.ShouldContain((string)timestamp["source"]);
        timestamp["format"].ShouldBe("RFC3339Nano");
        lines.ShouldAllBe(line => IsRfc3339(line.GetProperty("time").GetString()!));
        lines.ShouldAllBe(line => Levels.Contains(line.GetProperty("level").GetString()));
    }

    [Fact]
    public void Promtail_sends_to_where_Loki_listens()
    {
        var port = Map(Read("loki.yml")["server"])["http_listen_port"];
        var client = Map(((List<object>)Read("promtail.yml")["clients"]).ShouldHaveSingleItem());
        new Uri((string)client["url"]).Port.ToString(CultureInfo.InvariantCulture).ShouldBe(port);
        new Uri((string)client["url"]).AbsolutePath.ShouldBe("/loki/api/v1/push");
    }

    private static readonly string?[] Levels = ["information", "warning", "error", "critical"];

    private static List<string> Names(JsonElement line) => [.. line.EnumerateObject().Select(field => field.Name)];

    private static bool IsRfc3339(string time) => DateTimeOffset.TryParseExact(
        time, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private async Task<List<JsonElement>> LinesOfANodeAsync()
    {
        var log = Path.Combine(folder, "log");
        await using (var node = HexcastHost.Build(
            new NodeSettings
            {
                DataFolder = folder,
                Http = new IPEndPoint(IPAddress.Loopback, 0),
                Grpc = new IPEndPoint(IPAddress.Loopback, 0),
                LogFile = log,
            },
            new ConfigurationBuilder().Build(),
            [new Speaker()]))
        {
            await node.StartAsync(CancellationToken.None);
            var address = node.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
                .First(a => a.StartsWith("http://127", StringComparison.Ordinal));
            using var http = new HttpClient();
            using var answer = await http.PostAsync(new Uri(new Uri(address), "/speak"), content: null);
            ((int)answer.StatusCode).ShouldBe(500);
        }

        return [.. File.ReadLines(log).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    /// <summary>A line of its own, one of a defect, and one of a request.</summary>
    private sealed class Speaker : RoleModule
    {
        public override void AddServices(RoleBuilder role)
        {
        }

        public override void MapHttp(IEndpointRouteBuilder http) => http.MapPost("/speak", Speak).AllowAnyone();

        private static void Speak(ILogger<Speaker> log)
        {
            log.LogWarning("Of {Media}", "m1");
            throw new InvalidOperationException("a defect");
        }
    }

    private static List<object> Stages()
    {
        var job = Map(((List<object>)Read("promtail.yml")["scrape_configs"]).ShouldHaveSingleItem());
        return (List<object>)job["pipeline_stages"];
    }

    private static Dictionary<string, object> Stage(List<object> stages, string name) =>
        Map(stages.Select(Map).Single(stage => stage.ContainsKey(name))[name]);

    private static Dictionary<string, object> Map(object value) =>
        ((Dictionary<object, object>)value).ToDictionary(pair => (string)pair.Key, pair => pair.Value);

    private static Dictionary<string, object> Read(string name) => new DeserializerBuilder()
        .WithDuplicateKeyChecking().Build().Deserialize<Dictionary<string, object>>(
            File.ReadAllText(Path.Combine(Root(), "deploy/observability/loki", name)));

    private static string Root()
    {
        var up = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(up!.FullName, "Hexcast.slnx")))
        {
            up = up.Parent;
        }

        return up.FullName;
    }
}
