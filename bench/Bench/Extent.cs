namespace Hexcast.Bench;

/// <summary>How much is measured.</summary>
/// <param name="Pairs">Ours and the peer's, in turn.</param>
/// <param name="Short">Only that everything runs: small files, short runs, figures that mean nothing.</param>
/// <param name="Queued">Tasks in the longest queue.</param>
/// <param name="Kills">Masters that are killed.</param>
internal sealed record Extent(int Pairs, bool Short, int Queued, int Kills)
{
    public T Of<T>(T whole, T brief) => Short ? brief : whole;
}
