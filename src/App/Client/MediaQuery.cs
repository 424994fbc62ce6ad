namespace Hexcast.App.Client;

/// <summary>What <c>GET /v1/media</c> is asked for.</summary>
internal sealed record MediaQuery(string? Text = null, string? Tag = null, string? State = null)
{
    public string Path(int limit, string? cursor)
    {
        var parts = new List<string> { $"limit={limit}" };
        Add("q", Text);
        Add("tag", Tag);
        Add("state", State);
        Add("cursor", cursor);
        return "/v1/media?" + string.Join('&', parts);

        void Add(string key, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                parts.Add($"{key}={Uri.EscapeDataString(value)}");
            }
        }
    }
}
