namespace Hexcast.Platform.Hosting;

/// <summary>The roles that this node runs.</summary>
public sealed record NodeRoles(IReadOnlyList<string> Names);
