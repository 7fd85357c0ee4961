// The contract of ../README.md in TypeScript: three programs that build an image, and the service that runs it.
// A program uses one of the three; at stage 0 each is the program that it was before, and its preview is empty.
import * as aws from "@pulumi/aws";
import * as docker from "@pulumi/docker";
import * as build from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config("migrate");
const image = config.get("image") ?? "original";
const originalDigest = config.get("originalDigest");
const architecture = config.get("architecture");
const capacity = config.getObject<aws.types.input.ecs.ServiceCapacityProviderStrategy[]>("capacity");
const deployment = config.get("deployment");

const tag = "tag1";
const kept = { retainOnDelete: true };

export interface Place {
    url: pulumi.Input<string>;
    registry: { address: pulumi.Input<string>; username: pulumi.Input<string>; password: pulumi.Input<string> };
    context: string;
    builder?: string;
}

// Program 1: the docker package builds linux/amd64, and goes on doing so; docker-build adds linux/arm64 beside it.
export function withDocker(place: Place): void {
    const own = new docker.Image("image", {
        imageName: pulumi.interpolate`${place.url}:${tag}`,
        build: { context: place.context, platform: "linux/amd64" },
        registry: { server: place.registry.address, username: place.registry.username, password: place.registry.password },
        skipPush: false,
    });
    follow(place, ["linux/arm64"], own.repoDigest.apply((digest) => digest.split("@")[1]));
}

// Program 2: docker-build builds linux/amd64; linux/arm64 is added beside it (mode extend).
export function withDockerBuild(place: Place): void {
    follow(place, ["linux/arm64"], declareOwn(place).digest);
}

// Program 3: docker-build builds both platforms (mode rebuild).
export function withBothPlatforms(place: Place): void {
    follow(place, ["linux/amd64", "linux/arm64"], declareOwn(place).digest);
}

function declareOwn(place: Place): build.Image {
    return new build.Image("image", {
        tags: [pulumi.interpolate`${place.url}:${tag}`],
        context: { location: place.context },
        platforms: ["linux/amd64"],
        builder: place.builder ? { name: place.builder } : undefined,
        registries: [place.registry],
        push: true,
        buildOnPreview: false,
    });
}

// What the configured state of the image comes to, beside the team's own image, which stays as it is.
function follow(place: Place, platforms: build.Platform[], ownDigest: pulumi.Output<string>): void {
    if (image === "original") {
        return;
    }
    if (originalDigest === undefined) {
        throw new pulumi.RunError("migrate:originalDigest is not set: what the tag held before is not known.");
    }
    const original = pulumi.interpolate`${place.url}@${originalDigest}`;
    const built = new build.Image("web-image-build", {
        context: { location: place.context },
        platforms,
        builder: place.builder ? { name: place.builder } : undefined,
        registries: [place.registry],
        // Pushed by digest: without a tag there is nothing that a delete could take from the registry.
        exports: [{ registry: { names: [place.url], pushByDigest: true, ociMediaTypes: true } }],
        push: false,
        buildOnPreview: false,
    }, kept);
    // The preview of an update says that the digest is empty; the tag stands for what is going to be built.
    const made = pulumi.all([place.url, built.digest]).apply(([url, digest]) =>
        digest ? `${url}@${digest}` : `${url}:migrate-index-${tag}`);
    const index = new build.Index("web-image-index", {
        tag: pulumi.interpolate`${place.url}:migrate-index-${tag}`,
        sources: platforms.length === 1 ? [original, made] : [made],
        registry: place.registry,
    }, kept);
    const published = image === "index";
    new build.Index("web-image-published", {
        tag: pulumi.interpolate`${place.url}:${tag}`,
        sources: [published ? unlessOverwritten(index.ref, ownDigest) : original],
        push: published,
        registry: place.registry,
    }, kept);
}

function unlessOverwritten(index: pulumi.Output<string>, ownDigest: pulumi.Output<string>): pulumi.Output<string> {
    return pulumi.all([index, ownDigest]).apply(([ref, digest]) => {
        if (digest !== originalDigest) {
            throw new pulumi.RunError(`This would push one platform over the index that ${tag} holds.`);
        }
        return ref;
    });
}

// The service: its own revision, the ARM64 one beside it once a stage needs it, and the strategy.
export function declareService(definition: aws.ecs.TaskDefinitionArgs, service: aws.ecs.ServiceArgs): aws.ecs.Service {
    const own = new aws.ecs.TaskDefinition("web-task", definition, kept);
    let runs = own;
    if (architecture === "ARM64" || config.getBoolean("arm64Revision")) {
        const runtimePlatform = { cpuArchitecture: "ARM64", operatingSystemFamily: "LINUX" };
        const arm64 = new aws.ecs.TaskDefinition("web-task-arm64", { ...definition, runtimePlatform }, kept);
        runs = architecture === "ARM64" ? arm64 : own;
    }
    return new aws.ecs.Service("web-service", {
        ...service,
        taskDefinition: runs.arn,
        launchType: capacity ? undefined : service.launchType,
        capacityProviderStrategies: capacity ?? service.capacityProviderStrategies,
        // Without the flag AWS refuses another strategy, and the provider ignores the triggers.
        forceNewDeployment: capacity || deployment ? true : service.forceNewDeployment,
        triggers: deployment
            ? pulumi.output(service.triggers).apply((own) => ({ ...own, "migrate-deployment": deployment }))
            : service.triggers,
    });
}
