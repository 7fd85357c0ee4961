// The contract of ../README.md in C#: three programs that build an image, and the service that runs it.
// A program uses one of the three; at stage 0 each is the program that it was before, and its preview is empty.
using System;
using System.Linq;
using System.Text.Json;
using Pulumi;
using Aws = Pulumi.Aws;
using Build = Pulumi.DockerBuild;
using Docker = Pulumi.Docker;

public sealed record Place(
    Output<string> Url, Output<string> Username, Output<string> Password, string Context, string Builder);

public static class Staged
{
    private const string Tag = "tag1";
    private static readonly Config Migrate = new Config("migrate");
    private static readonly string Image = Migrate.Get("image") ?? "original";
    private static readonly string? OriginalDigest = Migrate.Get("originalDigest");
    private static readonly string? Architecture = Migrate.Get("architecture");
    private static readonly string? Capacity = Migrate.Get("capacity");
    private static readonly string? Forced = Migrate.Get("deployment");

    private static CustomResourceOptions Kept => new CustomResourceOptions { RetainOnDelete = true };

    // Program 1: the docker package builds linux/amd64, and goes on doing so; docker-build adds linux/arm64 beside it.
    public static void WithDocker(Place place)
    {
        var own = new Docker.Image("image", new Docker.ImageArgs
        {
            ImageName = Output.Format($"{place.Url}:{Tag}"),
            Build = new Docker.Inputs.DockerBuildArgs { Context = place.Context, Platform = "linux/amd64" },
            Registry = new Docker.Inputs.RegistryArgs
            {
                Server = place.Url,
                Username = place.Username,
                Password = place.Password,
            },
            SkipPush = false,
        });
        Follow(place, own.RepoDigest.Apply(digest => digest.Split('@')[1]), Build.Platform.Linux_arm64);
    }

    // Program 2: docker-build builds linux/amd64; linux/arm64 is added beside it (mode extend).
    public static void WithDockerBuild(Place place) =>
        Follow(place, DeclareOwn(place).Digest, Build.Platform.Linux_arm64);

    // Program 3: docker-build builds both platforms (mode rebuild).
    public static void WithBothPlatforms(Place place) =>
        Follow(place, DeclareOwn(place).Digest, Build.Platform.Linux_amd64, Build.Platform.Linux_arm64);

    private static Build.Image DeclareOwn(Place place) => new Build.Image("image", new Build.ImageArgs
    {
        Tags = { Output.Format($"{place.Url}:{Tag}") },
        Context = new Build.Inputs.BuildContextArgs { Location = place.Context },
        Platforms = { Build.Platform.Linux_amd64 },
        Builder = new Build.Inputs.BuilderConfigArgs { Name = place.Builder },
        Registries = { Registry(place) },
        Push = true,
        BuildOnPreview = false,
    });

    private static Build.Inputs.RegistryArgs Registry(Place place) => new Build.Inputs.RegistryArgs
    {
        Address = place.Url,
        Username = place.Username,
        Password = place.Password,
    };

    // What the configured state of the image comes to, beside the team's own image, which stays as it is.
    private static void Follow(Place place, Output<string> ownDigest, params Build.Platform[] platforms)
    {
        if (Image == "original")
        {
            return;
        }
        if (OriginalDigest is null)
        {
            throw Refused("migrate:originalDigest is not set: what the tag held before is not known.");
        }
        var original = Output.Format($"{place.Url}@{OriginalDigest}");
        var built = new Build.Image("web-image-build", new Build.ImageArgs
        {
            Context = new Build.Inputs.BuildContextArgs { Location = place.Context },
            Platforms = platforms,
            Builder = new Build.Inputs.BuilderConfigArgs { Name = place.Builder },
            Registries = { Registry(place) },
            // Pushed by digest: without a tag there is nothing that a delete could take from the registry.
            Exports =
            {
                new Build.Inputs.ExportArgs
                {
                    Registry = new Build.Inputs.ExportRegistryArgs
                    {
                        Names = { place.Url },
                        PushByDigest = true,
                        OciMediaTypes = true,
                    },
                },
            },
            Push = false,
            BuildOnPreview = false,
        }, Kept);
        // The preview of an update says that the digest is empty; the tag stands for what is going to be built.
        var made = Output.Tuple(place.Url, built.Digest).Apply(known =>
            known.Item2 == "" ? $"{known.Item1}:migrate-index-{Tag}" : $"{known.Item1}@{known.Item2}");
        var index = new Build.Index("web-image-index", new Build.IndexArgs
        {
            Tag = Output.Format($"{place.Url}:migrate-index-{Tag}"),
            Sources = platforms.Length == 1 ? new[] { original, made } : new[] { made },
            Registry = Registry(place),
        }, Kept);
        var published = Image == "index";
        _ = new Build.Index("web-image-published", new Build.IndexArgs
        {
            Tag = Output.Format($"{place.Url}:{Tag}"),
            Sources = { published ? UnlessOverwritten(index.Ref, ownDigest) : original },
            Push = published,
            Registry = Registry(place),
        }, Kept);
    }

    private static Output<string> UnlessOverwritten(Output<string> index, Output<string> ownDigest) =>
        Output.Tuple(index, ownDigest).Apply(known => known.Item2 == OriginalDigest
            ? known.Item1
            : throw Refused($"This would push one platform over the index that {Tag} holds."));

    private static ResourceException Refused(string why) => new ResourceException(why, null, hideStack: true);

    // The service: its own revision, the ARM64 one beside it once a stage needs it, and the strategy.
    public static Aws.Ecs.Service DeclareService(
        Func<Aws.Ecs.TaskDefinitionArgs> definition, Aws.Ecs.ServiceArgs service)
    {
        var runs = new Aws.Ecs.TaskDefinition("web-task", definition(), Kept);
        if (Architecture == "ARM64" || Migrate.GetBoolean("arm64Revision") == true)
        {
            var arguments = definition();
            arguments.RuntimePlatform = new Aws.Ecs.Inputs.TaskDefinitionRuntimePlatformArgs
            {
                CpuArchitecture = "ARM64",
                OperatingSystemFamily = "LINUX",
            };
            var arm64 = new Aws.Ecs.TaskDefinition("web-task-arm64", arguments, Kept);
            runs = Architecture == "ARM64" ? arm64 : runs;
        }
        service.TaskDefinition = runs.Arn;
        if (Capacity is not null)
        {
            service.LaunchType = null;
            service.CapacityProviderStrategies = Strategy(Capacity);
        }
        if (Forced is not null)
        {
            service.Triggers.Add("migrate-deployment", Forced);
        }
        if (Capacity is not null || Forced is not null)
        {
            // Without the flag AWS refuses another strategy, and the provider ignores the triggers.
            service.ForceNewDeployment = true;
        }
        return new Aws.Ecs.Service("web-service", service);
    }

    private static Aws.Ecs.Inputs.ServiceCapacityProviderStrategyArgs[] Strategy(string items) =>
        JsonDocument.Parse(items).RootElement.EnumerateArray().Select(
            item => new Aws.Ecs.Inputs.ServiceCapacityProviderStrategyArgs
            {
                CapacityProvider = item.GetProperty("capacityProvider").GetString()!,
                Base = item.GetProperty("base").GetInt32(),
                Weight = item.GetProperty("weight").GetInt32(),
            }).ToArray();
}
