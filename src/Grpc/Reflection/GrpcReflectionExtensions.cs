using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Reflection;
using Grpc.Reflection.V1;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Microsoft.AspNetCore.Builder;

public static class GrpcReflectionExtensions
{
    const string V1Alpha = "grpc.reflection.v1alpha.ServerReflection";

    /// <summary>
    /// Serves reflection of all services that are mapped, before or after, under the names of v1 and of v1alpha, which
    /// older tools ask for: their messages are the same on the wire.
    /// </summary>
    public static IEndpointConventionBuilder MapGrpcReflectionService(this IEndpointRouteBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var reflection = new Lazy<ReflectionServiceImpl>(() => new ReflectionServiceImpl(
            builder.DataSources.SelectMany(source => source.Endpoints)
                .Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.ServiceType)
                .OfType<Type>().Distinct()
                .Select(ServiceMethods.DescriptorOf).OfType<ServiceDescriptor>()
                .Append(ServerReflection.Descriptor)));
        var method = ServerReflection.Descriptor.Methods.Single();
        return builder.MapGrpcService(ServerServiceDefinition.CreateBuilder()
            .AddMethod(Method(ServerReflection.Descriptor.FullName), Answer)
            .AddMethod(Method(V1Alpha), Answer)
            .Build());

        Method<ServerReflectionRequest, ServerReflectionResponse> Method(string service) => new(
            MethodType.DuplexStreaming,
            service,
            method.Name,
            Marshallers.Create(Serialize, ServerReflectionRequest.Parser.ParseFrom),
            Marshallers.Create(Serialize, ServerReflectionResponse.Parser.ParseFrom));

        Task Answer(
            IAsyncStreamReader<ServerReflectionRequest> requests,
            IServerStreamWriter<ServerReflectionResponse> responses,
            ServerCallContext context) => reflection.Value.ServerReflectionInfo(requests, responses, context);
    }

    static byte[] Serialize(Google.Protobuf.IMessage message) => Google.Protobuf.MessageExtensions.ToByteArray(message);
}
