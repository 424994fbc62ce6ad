using System.Diagnostics;

namespace Hexcast.Harness.Faults;

/// <summary>An ffmpeg for each processor, as nice as those of jobs, that encodes for as long as this lives.</summary>
public sealed class IdleEncoders : IDisposable
{
    private readonly List<Process> encoders = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ =>
        Process.Start(new ProcessStartInfo("nice", [
            "-n", "19", "ffmpeg", "-nostdin", "-v", "quiet", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30",
            "-c:v", "libx264", "-preset", "fast", "-f", "null", "-",
        ])
        {
            UseShellExecute = false,
        })!)];

    public void Dispose()
    {
        foreach (var encoder in encoders)
        {
            encoder.Kill();
            encoder.WaitForExit();
            encoder.Dispose();
        }
    }
}
