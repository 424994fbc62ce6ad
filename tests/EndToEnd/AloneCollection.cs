namespace Hexcast.EndToEnd;

/// <summary>The faults of clusters. How often the mastership changes hands is counted in them, and its lease lasts two
/// seconds: nothing else runs beside, for what keeps the processors to itself for that long is a fault too.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
