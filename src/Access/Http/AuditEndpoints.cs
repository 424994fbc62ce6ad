using System.Globalization;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Access.Http;

/// <summary>GET /v1/audit: who did what, the newest first.</summary>
internal sealed class AuditEndpoints(IAuditReader log)
{
    public const int DefaultLimit = 50, HighestLimit = 500;

    public void Map(IEndpointRouteBuilder http) => http.MapGet("/v1/audit", ListAsync).RequireScope(Scope.Admin)
        .Describe(ApiGroup.Access, "Read the audit log", AccessOperations.Audit);

    private async Task ListAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var page = log.Read(
            Limit(query["limit"].ToString()), query["cursor"].ToString(), context.Principal().Tenant);
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(
            new AuditAnswer([.. page.Entries.Select(AuditEntryAnswer.Of)], page.Next), context.RequestAborted);
    }

    private static int Limit(string text) =>
        text.Length == 0 ? DefaultLimit
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            && limit is >= 1 and <= HighestLimit
            ? limit
            : throw new HexcastException(ErrorCodes.InvalidArgument, $"limit must be 1 to {HighestLimit}.");
}
