using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;

namespace Hexcast.Access.Audit;

/// <summary>The log for those who know its places by name only.</summary>
internal sealed class AuditReader(AuditFiles files) : IAuditReader
{
    public AuditListing Read(int limit, string cursor, string? tenant)
    {
        var page = files.Read(limit, Position(cursor), tenant);
        return new AuditListing(page.Entries, page.Next?.ToString());
    }

    private static AuditPosition? Position(string cursor) =>
        cursor.Length == 0 ? null
        : AuditPosition.Parse(cursor)
            ?? throw new HexcastException(ErrorCodes.InvalidArgument, "cursor is none that was given here.");
}
