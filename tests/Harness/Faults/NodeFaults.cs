using System.Buffers.Binary;
using System.Reflection;
using System.Text;

namespace Hexcast.Harness.Faults;

/// <summary>
/// What a node's disk and clock can be made to do while it runs: shim.c is preloaded into it, and reads its orders from
/// a file that both map. Built by the machine's C compiler, once a folder.
/// </summary>
public sealed class NodeFaults
{
    /// <summary>errno.h</summary>
    private const int NoSpace = 28;
    private const int InputOutput = 5;

    private const int OrdersBytes = 256;
    private const int BelowAt = 20;

    private static readonly SemaphoreSlim Building = new(1);

    private readonly string orders;
    private readonly string shim;

    private NodeFaults(string orders, string shim) => (this.orders, this.shim) = (orders, shim);

    /// <summary>Why there can be none here, or null.</summary>
    public static string? Hindrance =>
        File.Exists("/usr/bin/cc") ? null : "a C compiler is missing: apt-get install gcc libc6-dev";

    /// <param name="folder">Where the orders lie; they outlive the process.</param>
    public static async Task<NodeFaults> MakeAsync(string folder, string name)
    {
        Directory.CreateDirectory(folder);
        var built = Path.Combine(folder, "shim.so");
        await Building.WaitAsync();
        try
        {
            if (!File.Exists(built))
            {
                var source = Path.Combine(folder, "shim.c");
                await using (var file = File.Create(source))
                {
                    await Assembly.GetExecutingAssembly().GetManifestResourceStream("shim.c")!.CopyToAsync(file);
                }

                await Clips.RunAsync("cc", ["-shared", "-fPIC", "-O2", "-o", built, source]);
            }
        }
        finally
        {
            Building.Release();
        }

        var faults = new NodeFaults(Path.Combine(folder, $"{name}.faults"), built);
        faults.Order(new byte[OrdersBytes]);
        return faults;
    }

    public ProcessPlace At(ProcessPlace place) => place with
    {
        Environment = new Dictionary<string, string>(place.Environment, StringComparer.Ordinal)
        {
            ["LD_PRELOAD"] = shim,
            ["HEXCAST_FAULTS"] = orders,
        },
    };

    /// <summary>fsync answers an error below that folder.</summary>
    public void FailSync(string folder) => Order(Orders(folder, syncError: InputOutput));

    /// <summary>fsync does nothing below that folder, and says that it has.</summary>
    public void SkipSync(string folder) => Order(Orders(folder, skipsSync: true));

    /// <summary>Every write below that folder finds no space.</summary>
    public void FillDisk(string folder) => Order(Orders(folder, writeError: NoSpace));

    /// <summary>Every write below that folder takes so much longer.</summary>
    public void SlowDisk(string folder, TimeSpan each) =>
        Order(Orders(folder, delayMs: (int)each.TotalMilliseconds));

    /// <summary>The wall clock is so far off; the monotonic one goes as ever.</summary>
    public void SetClock(TimeSpan off) => Order(Orders("/", clockSeconds: (int)off.TotalSeconds));

    public void End() => Order(new byte[OrdersBytes]);

    private static byte[] Orders(
        string folder, int syncError = 0, int writeError = 0, int delayMs = 0, int clockSeconds = 0,
        bool skipsSync = false)
    {
        var bytes = new byte[OrdersBytes];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, syncError);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), writeError);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), delayMs);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), clockSeconds);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), skipsSync ? 1 : 0);
        // Cut to what fits, with its zero at the end: a longer one matches by its beginning.
        Encoding.UTF8.GetBytes(folder).AsSpan()[..Math.Min(folder.Length, OrdersBytes - BelowAt - 1)]
            .CopyTo(bytes.AsSpan(BelowAt));
        return bytes;
    }

    /// <summary>In place, for the node has it mapped.</summary>
    private void Order(byte[] bytes)
    {
        using var file = new FileStream(orders, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        file.Write(bytes);
    }
}
