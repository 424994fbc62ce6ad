namespace Hexcast.Coordination.Tests.Servers;

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("hexcast-coordination-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
