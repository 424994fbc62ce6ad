using System.Diagnostics;

namespace Hexcast.Bench;

/// <summary>nginx over a folder, as a distribution sets it up for static files: sendfile, keep-alive, no log.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private const string Program = "/usr/sbin/nginx";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);
    private readonly Process process;

    private Nginx(Process process, Uri address)
    {
        this.process = process;
        Address = address;
    }

    public Uri Address { get; }

    public int ProcessId => process.Id;

    /// <param name="folder">An empty one of its own.</param>
    /// <param name="files">What it serves: path below the root → bytes.</param>
    public static async Task<Nginx> StartAsync(string folder, IReadOnlyDictionary<string, byte[]> files)
    {
        var port = PlatformProcess.FreePort();
        Directory.CreateDirectory(folder);
        foreach (var (path, bytes) in files)
        {
            var file = Path.Combine(folder, "root", path.TrimStart('/'));
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllBytesAsync(file, bytes);
        }

        var configuration = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(
            configuration,
            $$"""
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            daemon off;
            worker_processes auto;
            pid nginx.pid;
            error_log error.log;
            events { worker_connections 1024; }
            http {
              access_log off;
              sendfile on;
              tcp_nopush on;
              # As our own server does: a connection is kept for as long as its client wants it.
              keepalive_requests 1000000000;
              types { application/vnd.apple.mpegurl m3u8; video/mp4 m4s; }
              client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp;
              scgi_temp_path tmp;
              server { listen 127.0.0.1:{{port}} backlog=512; root root; }
            }
            """);
        var started = Process.Start(new ProcessStartInfo(Program, ["-p", folder, "-c", configuration])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        })!;
        var nginx = new Nginx(started, new Uri($"http://127.0.0.1:{port}"));
        using var http = new HttpClient { BaseAddress = nginx.Address };
        await Wait.ForAsync(
            async () =>
            {
                try
                {
                    using var answer = await http.GetAsync(files.Keys.First());
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException) when (!started.HasExited)
                {
                    return false;
                }
            },
            StartLimit,
            () => $"nginx serves nothing; see {folder}/error.log");
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            // TERM: the master ends its workers.
            using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            await kill.WaitForExitAsync();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }
}
