using System.Reflection;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Components;

namespace Hexcast.Tidy;

public sealed class RoleTests
{
    [Fact]
    public void The_only_public_type_of_a_role_is_its_module() =>
        Assemblies.Roles.SelectMany(role => role.GetExportedTypes()
                .Except(Components(role))
                .Where(type => type.Name != $"{Assemblies.NameOf(role)}Module" || type.BaseType != typeof(RoleModule))
                .Select(type => type.FullName!))
            .ShouldFindNothing("Make these internal:");

    [Fact]
    public void Every_role_has_a_module() =>
        Assemblies.Roles.Where(role => !role.GetExportedTypes().Any(type => type.BaseType == typeof(RoleModule)))
            .Select(role => role.GetName().Name!)
            .ShouldFindNothing("A role registers and maps itself in a public module:");

    /// <summary>Razor makes components public, and so must be what they take (decision 0009).</summary>
    private static HashSet<Type> Components(Assembly role)
    {
        var taken = new HashSet<Type>();
        foreach (var component in role.GetExportedTypes()
            .Where(type => typeof(IComponent).IsAssignableFrom(type) || type.Name == "_Imports"))
        {
            Take(component);
        }

        return taken;

        void Take(Type type)
        {
            var own = type.IsArray ? type.GetElementType()! : type;
            foreach (var argument in own.GetGenericArguments())
            {
                Take(argument);
            }

            if (own.Assembly != role || !taken.Add(own))
            {
                return;
            }

            foreach (var property in own.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                Take(property.PropertyType);
            }
        }
    }
}
