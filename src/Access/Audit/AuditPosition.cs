using System.Globalization;

namespace Hexcast.Access.Audit;

/// <summary>A place between two lines of the audit log: the file's number and the bytes before it.</summary>
internal readonly record struct AuditPosition(int File, long Offset)
{
    public static AuditPosition? Parse(string text) =>
        text.Split('-') is [var file, var offset]
        && int.TryParse(file, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
        && long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? new AuditPosition(number, bytes) : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}-{Offset}");
}
