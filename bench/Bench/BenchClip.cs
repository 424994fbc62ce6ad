namespace Hexcast.Bench;

/// <summary>
/// A little grain over a moving picture, at the bit rate of a camera's file: nearer to footage than a test pattern.
/// </summary>
internal static class BenchClip
{
    public static Task MakeAsync(string path, int seconds, string size = "1920x1080") => Clips.MakeAsync(
        path,
        "-f", "lavfi", "-i", $"testsrc2=size={size}:rate=30:duration={seconds}",
        "-f", "lavfi", "-i", $"sine=frequency=440:sample_rate=48000:duration={seconds}",
        "-vf", "noise=alls=3:allf=t",
        "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "16M", "-maxrate", "20M", "-bufsize", "20M", "-g", "60",
        "-c:a", "aac");
}
