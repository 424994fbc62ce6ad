using System.Diagnostics;

namespace Hexcast.Harness;

/// <summary>
/// A guest Linux that loses its power when a test wants it to: what it had not synced is gone, what is on its disk
/// stays. What starts one is no part of this repository; docs/drills/power.md says what it must do.
/// </summary>
public sealed class Guest : IAsyncDisposable
{
    /// <summary>Where the guest finds this machine's ports.</summary>
    public const string HostAddress = "10.0.2.100";

    /// <summary>A device of its own with the disk's content.</summary>
    public const string Disk = "/dev/vda";

    private const string Variable = "HEXCAST_GUEST";

    private readonly Lock turn = new();
    private readonly List<string> lines = [];
    private readonly Process process;

    private Guest(Process process) => this.process = process;

    /// <summary>What is missing for there to be a guest; null if nothing is.</summary>
    public static string? Missing => Launcher.Length > 0
        ? null
        : $"{Variable} is not set. It is the command that starts a guest Linux with a disk of its own, such as " +
            $"{Variable}='/path/to/launcher run /path/to/cache'; docs/drills/power.md says what it must do.";

    private static string[] Launcher =>
        (Environment.GetEnvironmentVariable(Variable) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <param name="disk">A file of this machine.</param>
    /// <param name="inward">Ports of this machine that lead to the guest's.</param>
    /// <param name="outward">Ports of this machine that the guest reaches at <see cref="HostAddress"/>.</param>
    /// <param name="limit">Its power goes then at the latest.</param>
    /// <param name="scratch">For the script, and what the launcher makes for itself and leaves when it is killed.
    /// </param>
    /// <param name="script">Run by `sh`, as root.</param>
    public static Guest Start(
        string disk, IEnumerable<(int Here, int There)> inward, IEnumerable<int> outward, TimeSpan limit,
        string scratch, string script)
    {
        // The guest sees this machine's files. As a word of its command line a script could come in quotes that its
        // shell does not know.
        var file = Path.Combine(scratch, "script");
        File.WriteAllText(file, script);
        string[] command = [
            .. Launcher, "-c", $"{Environment.ProcessorCount}", "-t", $"{(int)limit.TotalSeconds}", "-d", disk,
            .. inward.SelectMany(port => (string[])["-i", $"{port.Here}:{port.There}"]),
            .. outward.SelectMany(port => (string[])["-o", $"{port}"]),
            "--", "sh", file];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TMPDIR"] = scratch;
        var guest = new Guest(Process.Start(start)!);
        guest.process.OutputDataReceived += (_, line) => guest.Keep(line.Data);
        guest.process.ErrorDataReceived += (_, line) => guest.Keep(line.Data);
        guest.process.BeginOutputReadLine();
        guest.process.BeginErrorReadLine();
        return guest;
    }

    public bool IsRunning => !process.HasExited;

    /// <summary>The rest of the last line that begins with this word; null if there is none.</summary>
    public string? LastSaid(string word)
    {
        lock (turn)
        {
            return lines.LastOrDefault(line => line.StartsWith(word + " ", StringComparison.Ordinal))?[word.Length..]
                .Trim();
        }
    }

    public string Said
    {
        get
        {
            lock (turn)
            {
                return string.Join('\n', lines.TakeLast(40));
            }
        }
    }

    /// <summary>The power goes: whatever emulates the machine is killed, with all that it has in memory.</summary>
    public async Task CutAsync()
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            await CutAsync();
        }

        process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            lock (turn)
            {
                lines.Add(line);
            }
        }
    }
}
