using Hexcast.Coordination.Embedded.Log;

namespace Hexcast.Coordination.Embedded;

/// <summary>What a person is told whose node does not know any more who it is in its group: going on under a guess
/// could elect a second leader, or begin a second group beside the first.</summary>
internal static class LostMember
{
    /// <summary>What the coordinator's directory alone has.</summary>
    public const string WhatIsLost =
        "API tokens and sessions, unfinished jobs, the cluster's settings and the names of removed nodes are lost " +
        "then; media that are ready are not.";

    public static CoordinatorDataException FileDamaged(EmbeddedCoordinatorSettings settings) => new(
        $"{Path.Combine(settings.Directory, MemberFile.Name)} is damaged or gone: it says who this node is in the " +
        "coordinator's group and whom it has voted for, so nothing goes on without it, and it has no second copy. " +
        $"Check the disk. {OfOthers(settings)} Where it has the coordinator alone, hexcast cluster recover lets it " +
        $"go on with its log. Without {settings.Directory} it would begin an empty coordinator: {WhatIsLost}");

    public static CoordinatorDataException DirectoryEmpty(EmbeddedCoordinatorSettings settings) => new(
        $"{settings.Directory} is empty, and was not: {settings.Shared}. Others may have what was in it and go on " +
        $"with it, so this node does not begin a second coordinator beside theirs. {OfOthers(settings)} Where no " +
        "other node votes, put the directory back from a backup, or let hexcast cluster recover begin an empty " +
        $"coordinator: {WhatIsLost}");

    public static CoordinatorDataException RecoveryInterrupted(EmbeddedCoordinatorSettings settings) => new(
        $"hexcast cluster recover was interrupted in {settings.Directory}: what is there is neither the old group's " +
        "nor the new one's. Run it again.");

    private static string OfOthers(EmbeddedCoordinatorSettings settings) =>
        $"Where others vote too, they have all of it: run hexcast cluster remove {settings.NodeName} for one of " +
        "them, stop this one, remove cluster, coordinator and node.id from its data folder, and let it join by a new " +
        "name.";
}
