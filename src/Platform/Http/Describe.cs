using Microsoft.AspNetCore.Builder;

namespace Hexcast.Platform.Http;

public static class DescribeExtensions
{
    /// <summary>
    /// Puts the endpoint into the OpenAPI document and the reference. One that takes several methods apart, as tus
    /// does, is described once for each.
    /// </summary>
    public static TBuilder Describe<TBuilder>(
        this TBuilder endpoint, ApiGroup group, string summary, Func<Operation, Operation> describe)
        where TBuilder : IEndpointConventionBuilder
    {
        var operation = describe(new Operation(group, summary));
        endpoint.Add(builder => builder.Metadata.Add(operation));
        return endpoint;
    }

    /// <summary>A page for a browser.</summary>
    public static TBuilder DescribePage<TBuilder>(
        this TBuilder endpoint, string summary, Func<Operation, Operation>? describe = null)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.Describe(ApiGroup.Pages, summary, page =>
            (describe ?? (same => same))(page.Answers(200, "the page", "text/html")));
}
