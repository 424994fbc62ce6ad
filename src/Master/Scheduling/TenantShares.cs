namespace Hexcast.Master.Scheduling;

/// <summary>
/// In a class, tenants share the nodes by weight. Each has used so much time, divided by its weight; who has used least
/// is first. One that comes anew begins where the others are: it has saved nothing up.
/// </summary>
internal sealed class TenantShares(SyncBoard board)
{
    private const int KnownLimit = 1_000;

    private readonly Dictionary<(int Lane, string Tenant), double> used = [];

    // Where the tenant stood that was first, by lane.
    private readonly Dictionary<int, double> reached = [];

    public double Used(int lane, string tenant) => used.GetValueOrDefault((lane, tenant));

    /// <summary>The tenant has something to do again.</summary>
    public void Begin(int lane, string tenant)
    {
        if (used.Count >= KnownLimit)
        {
            foreach (var (known, _) in used.Where(u => u.Value <= reached.GetValueOrDefault(u.Key.Lane)).ToList())
            {
                used.Remove(known);
            }
        }

        used[(lane, tenant)] = Math.Max(Used(lane, tenant), reached.GetValueOrDefault(lane));
    }

    /// <param name="inTurn">The tenant was first, rather than helped because it had waited too long.</param>
    public void Charge(int lane, string tenant, double seconds, bool inTurn)
    {
        var before = Used(lane, tenant);
        used[(lane, tenant)] = before + (seconds / Weight(tenant));
        if (inTurn)
        {
            reached[lane] = Math.Max(reached.GetValueOrDefault(lane), before);
        }
    }

    private int Weight(string tenant) =>
        board.Find(SettingRules.TenantWeights + tenant) is { } value ? SettingRules.WeightOf(value) ?? 1 : 1;
}
