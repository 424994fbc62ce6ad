using Hexcast.Simulation;

namespace Hexcast.PlantedFaults;

/// <summary>The test of the simulator: each mistake is found, within so many seeds. A mistake that takes more is not
/// covered well enough: the weather wants changing, not the list.</summary>
internal static class FaultSearch
{
    private const int SeedsWithoutAny = 20;

    public static TheoryData<string> Names<TFault>() where TFault : struct, Enum =>
        [.. Enum.GetNames<TFault>().Skip(1)];

    /// <param name="run">The layer in which it shows.</param>
    public static void Finds<TFault>(string fault, int mostSeeds, Func<ulong, Action<string>?, Journey> run)
        where TFault : struct, Enum
    {
        Planted.Of<TFault>.Active = Enum.Parse<TFault>(fault);
        try
        {
            var (seeds, what) = Search(mostSeeds, run);
            TestContext.Current.TestOutputHelper!.WriteLine($"{fault}: {seeds} seeds, {what}");
            what.ShouldNotBeNull($"{fault} went unnoticed in {seeds} seeds");
        }
        finally
        {
            Planted.Of<TFault>.Active = default;
        }
    }

    public static void FindsNothing(Func<ulong, Action<string>?, Journey> run) =>
        Search(SeedsWithoutAny, run).What.ShouldBeNull();

    private static (int Seeds, string? What) Search(int most, Func<ulong, Action<string>?, Journey> run)
    {
        for (var seed = 1; seed <= most; seed++)
        {
            try
            {
                run((ulong)seed, null);
            }
            catch (ViolationException violation)
            {
                return (seed, violation.Message.Split('\n')[0]);
            }
        }
        return (most, null);
    }
}
