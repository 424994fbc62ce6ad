namespace Hexcast.Grpc.Tests;

/// <summary>What measures the process's memory: nothing else runs beside it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
