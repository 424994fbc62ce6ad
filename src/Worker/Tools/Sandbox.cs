namespace Hexcast.Worker.Tools;

/// <summary>
/// The whole command line around a tool, as pure data. Every program in the chain replaces itself by the next, so the
/// process that we start, signal and wait for is bubblewrap (or the tool):
///   nice → [chrt] → prlimit → setsid → sh → bwrap → tool       required
///   nice → [chrt] → prlimit → setsid → sh → setpriv → tool     off
/// </summary>
internal sealed class Sandbox(SandboxMode mode)
{
    /// <summary>Encoders use what nothing else wants: a heartbeat or an election must never wait for one.</summary>
    public const int Nice = 19;

    // Above the largest file that a chunk of 32 s, or two hours of sound, can make; a runaway muxer ends here.
    public const long FileSizeLimitBytes = 16L << 30;
    private const int OpenFilesLimit = 256;

    private const string SourceInside = "/source";
    private const string OutputInside = "/scratch";

    private static readonly string[] Niceness = ["-n", $"{Nice}"];

    // SCHED_IDLE weighs a fifth of nice 19: beside an urgent encode others nearly stand still, alone they lose nothing.
    private static readonly string[] Patience = ["chrt", "--idle", "0"];

    // A kernel with CONFIG_SCHED_AUTOGROUP shares the processors among sessions first, and inside of each by niceness:
    // the tool's own session, next, would weigh as much as the node's. So its session is made nice too, and one that
    // nobody waits for as much nicer as SCHED_IDLE is than nice 19. Who is not root may do so ten times a second.
    private const int UrgentSessionNice = 12;
    private const int IdleSessionNice = 19;
    private const string NiceSession =
        "{ [ -w /proc/self/autogroup ] && for i in 1 2 3 4 5 6 7 8 9; do " +
        "echo \"$1\" >/proc/self/autogroup && break; sleep 0.1; done; } 2>/dev/null; shift; exec \"$@\"";

    private static readonly string[] Limits =
    [
        "prlimit", "--core=0", $"--fsize={FileSizeLimitBytes}", $"--nofile={OpenFilesLimit}", "--",
        // A session of its own: Ctrl-C at the terminal is the node's to hear, not the tool's.
        "setsid", "--wait",
    ];

    // No network, no other process in sight, nothing of this machine's files but the system's programs and libraries,
    // no privilege to gain by a user namespace of its own, no terminal, no environment.
    private static readonly string[] Walls =
    [
        // bwrap itself waits for the tool, and not a reaper between the two: only so is the tool's processor time
        // handed up to us (EndedTools). The session that it is in has no terminal, and is nice: a new one would not be.
        "bwrap", "--as-pid-1", "--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL",
        "--die-with-parent", "--clearenv",
        "--setenv", "PATH", SystemPath, "--setenv", "LC_ALL", "C.UTF-8",
        "--ro-bind", "/usr", "/usr",
        "--ro-bind-try", "/bin", "/bin", "--ro-bind-try", "/lib", "/lib", "--ro-bind-try", "/lib64", "/lib64",
        // Debian's libblas, which libavfilter links, is one of these.
        "--ro-bind-try", "/etc/alternatives", "/etc/alternatives",
        "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache",
        "--dev", "/dev", "--tmpfs", "/tmp",
    ];

    public const string SystemPath = "/usr/bin:/bin";

    public SandboxMode Mode { get; } = mode;

    /// <summary>The program to start and its arguments.</summary>
    public (string Program, IReadOnlyList<string> Arguments) CommandLine(ToolCommand tool) => Mode switch
    {
        SandboxMode.Required =>
            ("nice", [
                .. Priority(tool), .. Limits, .. Session(tool), .. Walls,
                .. (IReadOnlyList<string>)(tool.SourcePath is null ? [] : ["--ro-bind", tool.SourcePath, SourceInside]),
                .. (IReadOnlyList<string>)(tool.OutputFolder is null ? [] :
                    ["--bind", tool.OutputFolder, OutputInside, "--chdir", OutputInside]),
                "--",
                tool.Program, .. tool.Arguments(new ToolView(SourceInside, OutputInside)),
            ]),
        _ =>
            ("nice", [
                .. Priority(tool), .. Limits, .. Session(tool), "setpriv", "--pdeathsig", "KILL", "--",
                tool.Program, .. tool.Arguments(new ToolView(tool.SourcePath ?? "", tool.OutputFolder ?? "")),
            ]),
    };

    /// <summary>What a tool said, for whoever uploaded the file: that has another name where they come from.</summary>
    public string ForPeople(ToolCommand tool, string said) => tool.SourcePath is { } path
        ? said.Replace(
            $"file:{(Mode == SandboxMode.Required ? SourceInside : path)}", "source", StringComparison.Ordinal)
        : said;

    private static IReadOnlyList<string> Priority(ToolCommand tool) => [.. Niceness, .. tool.Urgent ? [] : Patience];

    private static IReadOnlyList<string> Session(ToolCommand tool) =>
        ["sh", "-c", NiceSession, "sh", $"{(tool.Urgent ? UrgentSessionNice : IdleSessionNice)}"];
}
