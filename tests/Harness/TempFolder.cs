namespace Hexcast.Harness;

public sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("hexcast-e2e-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
