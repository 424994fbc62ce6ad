using System.CommandLine;
using System.Net;
using Hexcast.App.Client;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;

namespace Hexcast.App.Cli;

/// <summary>Options that several commands take, so that they read the same everywhere.</summary>
internal static class SharedOptions
{
    public static Option<bool> Json() => new("--json")
    {
        Description = "One JSON document on standard output; words go to standard error.",
    };

    /// <summary>An option whose values are all known.</summary>
    public static Option<T> OneOf<T>(string name, string description, params string[] values)
    {
        var option = new Option<T>(name) { Description = description, HelpName = string.Join('|', values) };
        option.CompletionSources.Add(values);
        option.Validators.Add(given =>
        {
            if (given.Tokens.Select(token => token.Value).Except(values).FirstOrDefault() is { } other)
            {
                given.AddError($"{name} is '{other}'; it has to be one of {string.Join(", ", values)}.");
            }
        });
        return option;
    }

    /// <summary>A mistyped option is none of its values: that would start a platform to look for a file.</summary>
    public static Argument<T> File<T>(string description)
    {
        var file = new Argument<T>("FILE") { Description = description };
        file.Validators.Add(given =>
        {
            if (given.Tokens.SingleOrDefault() is { Value: var name } && name.StartsWith('-'))
            {
                given.AddError($"there is no option {name}. A file of that name is ./{name}.");
            }
        });
        return file;
    }

    public static Argument<string> MediaId() => new("ID") { Description = "The media's id, as ls shows it." };
}

/// <summary>Which platform a client command talks to, and as whom.</summary>
internal sealed class ClientOptions
{
    private readonly Option<string> data = new("--data")
    {
        Description = "Data folder of a platform on this machine; its admin.token serves without HEXCAST_TOKEN.",
        DefaultValueFactory = _ => NodeOptions.DefaultData,
    };

    public ClientOptions(Command command) => command.Add(data);

    public HexcastClient Connect(ParseResult parsed, TimeProvider clock) => HexcastClient.FromEnvironment(
        Path.GetFullPath(parsed.GetValue(data)!), named: parsed.GetResult(data) is { Implicit: false }, clock);
}

/// <summary>Where a node listens and what it keeps.</summary>
internal sealed class NodeOptions
{
    public const string DefaultData = "./data";

    private readonly Option<string> data = new("--data")
    {
        Description = "Folder of everything that the platform keeps.",
        DefaultValueFactory = _ => DefaultData,
    };

    private readonly Option<IPEndPoint> http = Endpoint("--http", "Address of the API, the pages and playback.", 8080);

    private readonly Option<IPEndPoint> grpc = Endpoint("--grpc", "Address of what roles say to each other.", 8081);

    private readonly Option<string?> advertise = Advertise();

    private readonly Option<string> node = Name("--node", "This node's name in its cluster.");

    private readonly Option<string?> config = new("--config")
    {
        Description = "Configuration file. Without it: hexcast.json in the data folder, if it is there.",
    };

    public void AddTo(Command command)
    {
        command.Add(data);
        command.Add(http);
        command.Add(grpc);
        command.Add(advertise);
        command.Add(node);
        command.Add(config);
    }

    /// <exception cref="ConfigurationException">The data folder is another node's of its cluster.</exception>
    public NodeSettings Settings(ParseResult parsed)
    {
        var folder = Path.GetFullPath(parsed.GetValue(data)!);
        var identity = ClusterIdentity.Find(folder);
        var settings = new NodeSettings
        {
            DataFolder = folder,
            Http = parsed.GetValue(http)!,
            Grpc = parsed.GetValue(grpc)!,
            Advertise = parsed.GetValue(advertise),
            NodeId = parsed.GetValue(node)!,
            Cluster = identity,
        };
        if (identity is null)
        {
            return settings;
        }

        // Said once, when it joined.
        if (!IsGiven(parsed, grpc) && IPEndPoint.TryParse(identity.Listen ?? identity.Address, out var listen))
        {
            settings = settings with
            {
                Grpc = listen,
                Advertise = settings.Advertise ?? (identity.Listen is null ? null : identity.Address),
            };
        }

        return !IsGiven(parsed, node) || settings.NodeId == identity.Node
            ? settings with { NodeId = identity.Node }
            : throw new ConfigurationException([
                $"--node {settings.NodeId}: {folder} is of the node {identity.Node}. Leave --node out."]);
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    public string? ConfigurationFile(ParseResult parsed) => parsed.GetValue(config);

    public static Option<string> Name(string name, string description, string otherwise = NodeSettings.Alone)
    {
        var option = new Option<string>(name)
        {
            Description = description,
            HelpName = "NAME",
            DefaultValueFactory = _ => otherwise,
        };
        option.Validators.Add(given =>
        {
            var text = given.Tokens.SingleOrDefault()?.Value;
            if (text is not null && !NodeSettings.IsName(text))
            {
                given.AddError($"{name} {text}: give 1 to 63 of a-z, 0-9 and '-', not '-' at an end, like encoder-1.");
            }
        });
        return option;
    }

    public static Option<string?> Advertise()
    {
        var option = new Option<string?>("--advertise")
        {
            Description = "Where other nodes reach --grpc, if not there: behind NAT, or listening on a wildcard.",
            HelpName = "HOST:PORT",
        };
        option.Validators.Add(given =>
        {
            var text = given.Tokens.SingleOrDefault()?.Value;
            if (text is not null && !NodeSettings.IsAddress(text))
            {
                given.AddError($"--advertise {text}: give a name or an address that others reach, and a port, "
                    + "like 203.0.113.7:8081.");
            }
        });
        return option;
    }

    public static Option<IPEndPoint> Endpoint(string name, string description, int port) => new(name)
    {
        Description = description,
        HelpName = "ADDRESS:PORT",
        DefaultValueFactory = _ => new IPEndPoint(IPAddress.Loopback, port),
        CustomParser = result =>
        {
            var text = result.Tokens.Single().Value;
            var address = text.StartsWith("localhost:", StringComparison.Ordinal)
                ? IPAddress.Loopback + text["localhost".Length..] : text;
            if (address.Contains(':', StringComparison.Ordinal) && IPEndPoint.TryParse(address, out var endpoint)
                && endpoint.Port > 0)
            {
                return endpoint;
            }

            result.AddError($"{name} {text}: give an IP address and a port, like 127.0.0.1:{port} or 0.0.0.0:{port}.");
            return null;
        },
    };
}
