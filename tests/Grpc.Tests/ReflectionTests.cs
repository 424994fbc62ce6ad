using System.Text.Json;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;
using Hexcast.Grpc.Tests.Reflected;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Grpc.Tests;

public sealed class ReflectionTests
{
    [Fact]
    public async Task Lists_all_services_that_are_mapped()
    {
        await using var host = await StartAsync();

        var answer = await AskAsync(host, new ServerReflectionRequest { Host = "here", ListServices = "" });

        answer.ListServicesResponse.Service.Select(service => service.Name)
            .ShouldBe(
            [
                "grpc.reflection.v1.ServerReflection", "hexcast.probe.Probe", "hexcast.reflected.Extended",
            ]);
        answer.ValidHost.ShouldBe("here");
        answer.OriginalRequest.ListServices.ShouldBe("");
    }

    [Theory]
    [InlineData("hexcast.reflected.Extended")]
    [InlineData("hexcast.reflected.Extended.Get")]
    [InlineData("hexcast.reflected.Extendable")]
    [InlineData("hexcast.reflected.Extendable.choice")]
    [InlineData("hexcast.reflected.Extendable.kind")]
    [InlineData("hexcast.reflected.Extendable.Kind")]
    [InlineData("hexcast.reflected.Extendable.FIRST")]
    [InlineData("hexcast.reflected.Extendable.nested")]
    [InlineData("hexcast.reflected.label")]
    public async Task Finds_the_file_of_a_symbol_and_what_it_imports(string symbol)
    {
        await using var host = await StartAsync();

        var answer = await AskAsync(host, new ServerReflectionRequest { FileContainingSymbol = symbol });

        answer.FileDescriptorResponse.FileDescriptorProto
            .ShouldBe([ReflectedReflection.Descriptor.SerializedData, ProbeReflection.Descriptor.SerializedData]);
    }

    [Fact]
    public async Task Finds_a_file_by_its_name_and_by_an_extension()
    {
        await using var host = await StartAsync();

        var byName = await AskAsync(host, new ServerReflectionRequest { FileByFilename = "probe.proto" });
        byName.FileDescriptorResponse.FileDescriptorProto.ShouldBe([ProbeReflection.Descriptor.SerializedData]);
        foreach (var number in new[] { 101, 102 })
        {
            var extension = new ExtensionRequest
            {
                ContainingType = Extendable.Descriptor.FullName,
                ExtensionNumber = number,
            };
            var found = await AskAsync(host, new ServerReflectionRequest { FileContainingExtension = extension });
            found.FileDescriptorResponse.FileDescriptorProto[0].ShouldBe(ReflectedReflection.Descriptor.SerializedData);
        }

        var numbers = await AskAsync(
            host, new ServerReflectionRequest { AllExtensionNumbersOfType = Extendable.Descriptor.FullName });
        numbers.AllExtensionNumbersResponse.BaseTypeName.ShouldBe("hexcast.reflected.Extendable");
        numbers.AllExtensionNumbersResponse.ExtensionNumber.ShouldBe([101, 102]);
    }

    [Fact]
    public async Task What_is_not_known_or_not_asked_is_an_error_in_the_stream_which_goes_on()
    {
        await using var host = await StartAsync();
        using var call = new ServerReflection.ServerReflectionClient(host.Channel).ServerReflectionInfo();
        async Task<ServerReflectionResponse> Ask(ServerReflectionRequest request)
        {
            await call.RequestStream.WriteAsync(request);
            (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
            return call.ResponseStream.Current;
        }

        (await Ask(new() { FileByFilename = "absent.proto" })).ErrorResponse.ErrorCode
            .ShouldBe((int)StatusCode.NotFound);
        (await Ask(new() { FileContainingSymbol = "absent.Symbol" })).ErrorResponse.ErrorCode
            .ShouldBe((int)StatusCode.NotFound);
        (await Ask(new() { AllExtensionNumbersOfType = "absent.Type" })).ErrorResponse.ErrorCode
            .ShouldBe((int)StatusCode.NotFound);
        (await Ask(new() { FileContainingExtension = new() { ContainingType = "absent.Type", ExtensionNumber = 1 } }))
            .ErrorResponse.ErrorCode.ShouldBe((int)StatusCode.NotFound);
        (await Ask(new())).ErrorResponse.ErrorCode.ShouldBe((int)StatusCode.InvalidArgument);
        (await Ask(new() { AllExtensionNumbersOfType = "hexcast.probe.ProbeReply" })).AllExtensionNumbersResponse
            .ExtensionNumber.ShouldBeEmpty();
        await call.RequestStream.CompleteAsync();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeFalse();
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1alpha")]
    public async Task Grpcio_learns_a_service_from_it_and_calls_it(string version)
    {
        await using var host = await StartAsync();
        await using var client = await PythonPeer.StartAsync(
            ReflectionReflection.Descriptor, "reflect.py", host.Address.Authority, version);

        using var found = JsonDocument.Parse(await client.ReadToEndAsync());
        found.RootElement.GetProperty("services").EnumerateArray().Select(name => name.GetString())
            .ShouldContain("hexcast.probe.Probe");
        found.RootElement.GetProperty("methods").EnumerateArray().Select(name => name.GetString())
            .ShouldBe(["Unary", "Download", "Upload", "Talk", "Absent"]);
        found.RootElement.GetProperty("reply").GetString().ShouldBe("learned");
    }

    static Task<ProbeHost> StartAsync() => ProbeHost.StartAsync(
        Wiring.Tcp,
        new ProbeHandlers
        {
            Unary = (request, _) => Task.FromResult(new ProbeReply { Text = request.Text }),
        },
        services: services => services.AddGrpcReflection(),
        map: app =>
        {
            app.MapGrpcReflectionService();
            app.MapGrpcService<ProbeService>();
            app.MapGrpcService<Extended.ExtendedBase>();
        });

    static async Task<ServerReflectionResponse> AskAsync(ProbeHost host, ServerReflectionRequest request)
    {
        using var call = new ServerReflection.ServerReflectionClient(host.Channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(request);
        await call.RequestStream.CompleteAsync();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        return call.ResponseStream.Current;
    }
}
