using System.Diagnostics;

namespace Hexcast.Harness.Faults;

/// <summary>
/// A member of etcd whose disk fails for as long as this lives. strace answers its calls: what is preloaded, as into
/// our nodes, a program in Go never asks.
/// </summary>
public sealed class EtcdDisk : IAsyncDisposable
{
    private const string Program = "/usr/bin/strace";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly Process tracer;

    private EtcdDisk(Process tracer) => this.tracer = tracer;

    /// <summary>Why there can be none here, or null.</summary>
    public static string? Hindrance => File.Exists(Program) ? null : "strace is missing: apt-get install strace";

    /// <summary>fsync answers an error.</summary>
    public static Task<EtcdDisk> FailSyncAsync(EtcdMember member) =>
        AttachAsync(member, ["-e", "inject=fsync,fdatasync:error=EIO"]);

    /// <summary>What it writes to its log and its database finds no space.</summary>
    public static Task<EtcdDisk> FillAsync(EtcdMember member) => AttachAsync(
        member,
        [
            "-e", "inject=write,pwrite64:error=ENOSPC",
            .. Directory.EnumerateFiles(member.DataFolder, "*", SearchOption.AllDirectories)
                .SelectMany(file => (string[])["-P", file]),
        ]);

    /// <summary>Each fsync takes so much longer.</summary>
    public static Task<EtcdDisk> SlowDownAsync(EtcdMember member, TimeSpan each) => AttachAsync(
        member, ["-e", $"inject=fsync,fdatasync:delay_enter={each.TotalMicroseconds:0}"]);

    /// <summary>The disk is whole again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!tracer.HasExited)
        {
            // Told to end it lets go of the member; killed it would leave its calls hanging.
            using var kill = Process.Start("kill", ["-TERM", $"{tracer.Id}"]);
            await kill.WaitForExitAsync();
        }

        await tracer.WaitForExitAsync();
        tracer.Dispose();
    }

    private static async Task<EtcdDisk> AttachAsync(EtcdMember member, IReadOnlyList<string> faults)
    {
        var strace = Process.Start(new ProcessStartInfo(
            Program, ["-f", "-o", "/dev/null", "-p", $"{member.ProcessId}", .. faults])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        })!;
        var disk = new EtcdDisk(strace);
        var attached = new TaskCompletionSource();
        strace.ErrorDataReceived += (_, line) =>
        {
            if (line.Data?.Contains(" attached", StringComparison.Ordinal) == true)
            {
                attached.TrySetResult();
            }
        };
        strace.BeginErrorReadLine();
        await attached.Task.WaitAsync(Limit);
        return disk;
    }
}
