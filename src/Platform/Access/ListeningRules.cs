using System.Net;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;

namespace Hexcast.Platform.Access;

/// <summary>Where a node may listen without somebody having said that it is meant.</summary>
internal static class ListeningRules
{
    /// <exception cref="ConfigurationException">Says what to set.</exception>
    public static void Require(NodeSettings node, AccessOptions options, bool tls)
    {
        var problems = new List<string>();
        if (!IPAddress.IsLoopback(node.Http.Address) && !tls && !options.AllowPlainHttp
            && options.TrustedProxies.Length == 0)
        {
            problems.Add(
                $"Access:AllowPlainHttp = 'false': --http {node.Http} listens beyond this machine without TLS, so " +
                "that tokens would cross the network for all to read. Set Tls:CertificateFile and Tls:KeyFile; or " +
                "name the reverse proxy in Access:TrustedProxies; or, where something else protects the connection, " +
                "set Access:AllowPlainHttp to true.");
        }

        if (!IPAddress.IsLoopback(node.Grpc.Address) && node.Cluster is null && !options.AllowOpenGrpc)
        {
            problems.Add(
                $"Access:AllowOpenGrpc = 'false': --grpc {node.Grpc} lets other machines reach what roles say to " +
                "each other, which asks for no credential. Make the node one of a cluster, whose nodes prove to each " +
                "other who they are (./hexcast cluster init, ./hexcast cluster join); or listen on 127.0.0.1; or, " +
                "where nobody else can reach it, set Access:AllowOpenGrpc to true.");
        }

        if (problems.Count > 0)
        {
            throw new ConfigurationException(problems);
        }
    }
}
