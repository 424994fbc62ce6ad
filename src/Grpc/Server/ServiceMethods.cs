using System.Reflection;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Grpc.AspNetCore.Server;

/// <summary>Finds what generated code says about a service class, and turns its methods into delegates.</summary>
static class ServiceMethods
{
    const BindingFlags Static = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static;

    /// <summary>Calls the generated <c>BindService(binder, null)</c> of the nearest base that has one.</summary>
    public static void Bind(Type service, ServiceBinderBase binder)
    {
        if (Generated(service) is not var (type, attribute))
        {
            throw new InvalidOperationException(
                $"{service} is no gRPC service: derive it from the base class that Grpc.Tools generates.");
        }

        var bind = attribute.BindType.GetMethod(
            attribute.BindMethodName, Static, [typeof(ServiceBinderBase), type])
            ?? throw new InvalidOperationException(
                $"{attribute.BindType} lacks the method {attribute.BindMethodName} that {type} names.");
        bind.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [binder, null], null);
    }

    /// <summary>What protobuf says of the service; null where its messages are no protobuf's.</summary>
    public static ServiceDescriptor? DescriptorOf(Type service) =>
        Generated(service)?.Attribute.BindType.GetProperty("Descriptor", Static)?.GetValue(null) as ServiceDescriptor;

    static (Type Type, BindServiceMethodAttribute Attribute)? Generated(Type service)
    {
        for (var type = service; type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } attribute)
                return (type, attribute);
        }

        return null;
    }

    /// <summary>The method of that name as a delegate whose first argument is the service.</summary>
    public static TDelegate Open<TService, TDelegate>(string name)
        where TDelegate : Delegate
    {
        var parameters = typeof(TDelegate).GetMethod("Invoke")!.GetParameters();
        var method = typeof(TService).GetMethod(
            name,
            BindingFlags.Public | BindingFlags.Instance,
            Array.ConvertAll(parameters[1..], parameter => parameter.ParameterType))
            ?? throw new InvalidOperationException($"{typeof(TService)} lacks a public method {name} that fits.");
        return method.CreateDelegate<TDelegate>();
    }
}

/// <summary>Gives each call its service: from the container, or made for the call and disposed with it.</summary>
static class ServiceActivator<TService>
    where TService : class
{
    static readonly Lazy<ObjectFactory<TService>> Factory =
        new(() => ActivatorUtilities.CreateFactory<TService>(Type.EmptyTypes));

    public static PerCall<TService> For(ServerCallContext context)
    {
        var services = context.GetHttpContext().RequestServices;
        return services.GetService<TService>() is { } registered
            ? new(registered, isOwned: false)
            : new(Factory.Value(services, null), isOwned: true);
    }
}
