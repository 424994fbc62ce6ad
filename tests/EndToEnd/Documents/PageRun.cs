using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Hexcast.EndToEnd.Documents;

/// <summary>Runs a page's blocks one after the other in one shell, as a person who follows it would.</summary>
internal sealed class PageRun(string folder, string page, int httpPort, int grpcPort)
{
    private const string Marker = "@@ hexcast block ";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    public async Task RunAsync(IReadOnlyList<ShellBlock> blocks)
    {
        await PrepareAsync();
        var (code, output, errors) = await BashAsync(Script(blocks));
        var outputs = output.Split(Marker).Skip(1).ToList();
        var last = blocks[Math.Max(outputs.Count - 1, 0)];
        code.ShouldBe(0, $"{page}: the block of line {last.Line} failed.\n{output}\n{errors}");
        foreach (var (block, printed) in blocks.Zip(outputs).Where(pair => pair.First.Expected is not null))
        {
            Check(block, printed[(printed.IndexOf('\n') + 1)..]);
        }
    }

    // The person's checkout: ./hexcast is there, and a file to upload.
    private async Task PrepareAsync()
    {
        var command = Path.Combine(folder, "hexcast");
        await File.WriteAllTextAsync(
            command,
            $$"""
            #!/usr/bin/env bash
            at=()
            case $1 in serve | play) at=(--http 127.0.0.1:{{httpPort}} --grpc 127.0.0.1:{{grpcPort}}) ;; esac
            exec dotnet '{{PlatformProcess.AppPath}}' "$@" "${at[@]}"

            """);
        File.SetUnixFileMode(command, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await Clips.MakeStandardAsync(Path.Combine(folder, "talk.mp4"), seconds: 4);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "talk.srt"), "1\n00:00:00,500 --> 00:00:02,000\nGood evening.\n");
    }

    private string Script(IReadOnlyList<ShellBlock> blocks)
    {
        var script = new StringBuilder(
            $$"""
            set -euo pipefail
            # What a person would see in the answer ends the page here.
            curl() { command curl -sS --fail-with-body --max-time 60 "$@"; }
            server=
            stop() { if [ -n "$server" ]; then kill "$server"; wait "$server" || true; server=; fi; }
            trap stop EXIT
            ready() {
              for _ in $(seq 600); do
                command curl -fs http://127.0.0.1:{{httpPort}}/readyz >/dev/null && return
                command curl -fsk https://127.0.0.1:{{httpPort}}/readyz >/dev/null && return
                kill -0 "$server"
                sleep 0.1
              done
              return 1
            }

            """);
        foreach (var block in blocks)
        {
            script.AppendLine($"echo '{Marker}{block.Line}'");
            if (block.ServerStopped)
            {
                script.AppendLine("stop");
            }

            var text = block.Text.Replace("127.0.0.1:8080", $"127.0.0.1:{httpPort}");
            script.AppendLine(
                block.KeepsRunning ? $"{text.TrimEnd()} >server.log 2>&1 &\nserver=$!\nready"
                // Cut by time, as by a person, or it has failed.
                : block.RunsOn ? $"timeout 2 {text.TrimEnd()} || test $? = 124"
                : text);
        }

        return script.ToString();
    }

    private async Task<(int Code, string Output, string Errors)> BashAsync(string script)
    {
        var start = new ProcessStartInfo("bash", ["-c", script])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }

        using var bash = Process.Start(start)!;
        return await PlayProcess.EndAsync(bash, Limit);
    }

    private void Check(ShellBlock block, string printed)
    {
        var where = $"{page}, line {block.Line}";
        if (block.ExpectsJson)
        {
            SameShape(JsonNode.Parse(block.Expected!), JsonNode.Parse(printed), "$", where);
        }
        else
        {
            var pattern = Regex.Escape(block.Expected!.Trim()).Replace("…", ".*");
            Regex.IsMatch(printed.Trim(), $"^{pattern}$", RegexOptions.Singleline, TimeSpan.FromSeconds(10))
                .ShouldBeTrue($"{where} prints\n{printed}\nand not\n{block.Expected}");
        }
    }

    // What is shown must be there, of the same kind; values are examples, and there may be more of everything.
    private static void SameShape(JsonNode? shown, JsonNode? real, string at, string where)
    {
        switch (shown, real)
        {
            case (JsonObject parts, JsonObject there):
                foreach (var (name, part) in parts)
                {
                    there.ContainsKey(name).ShouldBeTrue($"{where}: the answer has no {at}.{name}");
                    SameShape(part, there[name], $"{at}.{name}", where);
                }

                break;
            case (JsonArray { Count: > 0 } items, JsonArray { Count: > 0 } there):
                SameShape(items[0], there[0], $"{at}[0]", where);
                break;
            case (null, _) or (_, null):
                break;
            default:
                real.GetValueKind().ShouldBe(shown.GetValueKind(), $"{where}: {at}");
                break;
        }
    }
}
