using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Identity;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Platform.Cluster;

/// <summary>Makes identities: each becomes one by the rename of a folder, so there is all of it or nothing.</summary>
internal static class ClusterFolder
{
    private const UnixFileMode OwnerOnly =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const int ClusterIdBytes = 8;
    private const int KeyLimitBytes = 16 * 1024;
    private const string PendingEnding = ".joining";

    /// <summary>A cluster of its own, and its first node.</summary>
    public static ClusterIdentity Found(
        string dataFolder, string node, string address, string? listen, DateTimeOffset now)
    {
        RequireNone(dataFolder);
        var clusterId = Convert.ToHexStringLower(IdSource.NewSecret(ClusterIdBytes));
        using var authority = ClusterAuthority.Create(clusterId, now);
        var pending = Pending(dataFolder);
        using var key = OwnKey(pending);
        var identity = new ClusterIdentity(clusterId, node, address, [address]) { Listen = listen }.In(pending);
        SmallFile.WriteSecret(identity.AuthorityKeyFile, Encoding.ASCII.GetBytes(authority.KeyPem()));
        var publicKey = new PublicKey(key);
        using var certificate = authority.Issue(publicKey, clusterId, node, address, now);
        new GivenNames(identity.NodesFolder).Give(new GivenName(
            node, ClusterAuthority.Fingerprint(publicKey), address, ClusterAuthority.EndOf(certificate)));
        return Complete(dataFolder, identity, certificate, authority.Certificate);
    }

    /// <summary>
    /// The key that this node asks with, which never leaves it. A folder whose joining was interrupted asks with the
    /// same one again.
    /// </summary>
    public static ECDsa KeyForJoining(string dataFolder)
    {
        RequireNone(dataFolder);
        return OwnKey(Pending(dataFolder));
    }

    public static ClusterIdentity Joined(
        string dataFolder, ClusterIdentity identity, X509Certificate2 certificate, X509Certificate2 authority)
    {
        RequireNone(dataFolder);
        return Complete(dataFolder, identity.In(Pending(dataFolder)), certificate, authority);
    }

    public static void CreatePrivate(string folder)
    {
        if (!Directory.Exists(folder))
        {
            DurableFiles.CreateDirectory(Path.GetDirectoryName(folder)!);
            Directory.CreateDirectory(folder, OwnerOnly);
            DurableFiles.SyncDirectory(Path.GetDirectoryName(folder)!);
        }
    }

    public static void WriteCertificate(string path, X509Certificate2 certificate) =>
        DurableFiles.WriteAllBytes(path, Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"));

    private static ClusterIdentity Complete(
        string dataFolder, ClusterIdentity identity, X509Certificate2 certificate, X509Certificate2 authority)
    {
        WriteCertificate(identity.CertificateFile, certificate);
        WriteCertificate(identity.AuthorityFile, authority);
        identity.Write();
        var folder = ClusterIdentity.FolderIn(dataFolder);
        DurableFiles.Move(identity.Folder, folder);
        return identity.In(folder);
    }

    private static string Pending(string dataFolder)
    {
        var folder = ClusterIdentity.FolderIn(dataFolder) + PendingEnding;
        CreatePrivate(folder);
        return folder;
    }

    private static ECDsa OwnKey(string folder)
    {
        var path = Path.Combine(folder, "node.key");
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(path))
        {
            key.ImportFromPem(Encoding.ASCII.GetString(SmallFile.Read(path, KeyLimitBytes)));
        }
        else
        {
            SmallFile.WriteSecret(path, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        }

        return key;
    }

    private static void RequireNone(string dataFolder)
    {
        var folder = ClusterIdentity.FolderIn(dataFolder);
        if (Directory.Exists(folder))
        {
            var name = ClusterIdentity.Find(dataFolder)!;
            throw new HexcastException(
                ErrorCodes.Conflict,
                $"{folder} is there already: this is the node {name.Node} of the cluster {name.ClusterId}. " +
                "Choose another folder with --data, or take it out of that cluster. " +
                ClusterIdentity.ToJoinAnew(folder, name.Node));
        }
    }
}
