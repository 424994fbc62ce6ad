using System.Diagnostics;

namespace Hexcast.Grpc.Tests;

/// <summary>A Node process with @grpc/grpc-js, which npm installed beside the scripts.</summary>
sealed class NodePeer : PeerProcess
{
    NodePeer(Process process)
        : base(process)
    {
    }

    /// <param name="script">In the folder node.</param>
    /// <param name="args">Its arguments.</param>
    public static NodePeer Start(string script, params string[] args) =>
        new(StartProcess("node", [Path.Combine(Folder(), script), .. args]));

    // The scripts are run where they lie in the checkout, because Node looks for packages from there.
    static string Folder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var scripts = Path.Combine(folder.FullName, "node");
            if (!File.Exists(Path.Combine(scripts, "package.json")))
                continue;
            Directory.Exists(Path.Combine(scripts, "node_modules", "@grpc", "grpc-js")).ShouldBeTrue(
                $"@grpc/grpc-js is missing. Run ./hexcast test, or: npm ci --prefix {scripts}");
            return scripts;
        }

        throw new InvalidOperationException("The tests run inside a checkout, from their project's folder.");
    }
}
