using System.Globalization;
using Google.Protobuf;

namespace Hexcast.Master.Scheduling;

/// <summary>What the settings of the whole cluster may say. Whatever else they say is passed over, and said.</summary>
internal static class SettingRules
{
    /// <summary>Then a node's name: tasks that it runs at once. The worker reads it by the same rule.</summary>
    public const string Slots = Prefix + "slots/";

    /// <summary>Then a tenant's name: its share of the nodes' time; without it 1.</summary>
    public const string TenantWeights = Prefix + "tenant-weights/";

    private const string Prefix = "/hexcast/settings/";
    private const int SlotLimit = 1_024;
    private const int WeightLimit = 1_000;

    public static int? WeightOf(ByteString value) => Number(value, WeightLimit);

    /// <summary>Why a setting counts for nothing, in words; null: it counts, or is none.</summary>
    public static string? Complaint(string key, ByteString value)
    {
        if (!key.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        var limit = key.StartsWith(Slots, StringComparison.Ordinal) ? SlotLimit
            : key.StartsWith(TenantWeights, StringComparison.Ordinal) ? WeightLimit : 0;
        return limit == 0 ? $"{key} is no setting: there are {Slots}NODE and {TenantWeights}TENANT"
            : Number(value, limit) is null
                ? $"{key} does not count: it has to be a whole number from 1 to {limit}"
            : null;
    }

    private static int? Number(ByteString value, int limit) =>
        int.TryParse(value.ToStringUtf8(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number > 0 && number <= limit ? number : null;
}
