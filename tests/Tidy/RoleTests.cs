using Hexcast.Platform.Hosting;

namespace Hexcast.Tidy;

public sealed class RoleTests
{
    [Fact]
    public void The_only_public_type_of_a_role_is_its_module() =>
        Assemblies.Roles.SelectMany(role => role.GetExportedTypes()
                .Where(type => type.Name != $"{Assemblies.NameOf(role)}Module" || type.BaseType != typeof(RoleModule))
                .Select(type => type.FullName!))
            .ShouldFindNothing("Make these internal:");

    [Fact]
    public void Every_role_has_a_module() =>
        Assemblies.Roles.Where(role => !role.GetExportedTypes().Any(type => type.BaseType == typeof(RoleModule)))
            .Select(role => role.GetName().Name!)
            .ShouldFindNothing("A role registers and maps itself in a public module:");
}
