"""Every key of migrate.toml once: what it may hold (for errors) and what it means (for the file of ``init``)."""

from __future__ import annotations

from migrate.config.key import DURATION, LIMIT, TEXT, Key

TABLES: dict[str, str] = {
    "service": "The service to move.",
    "program": 'The team\'s Pulumi program that holds the service; only with service.owner = "pulumi".',
    "image": "The image whose tag becomes a multi-platform index (stage 1).",
    "architecture": "How the tasks go over to ARM64 (stage 2).",
    "capacity": "Where the tasks run at the end (stage 3).",
    "gate": "How long each stage is watched before it counts as proven.",
    "notifications": "Who is told how a run goes; optional.",
    "prices": "Prices that you know better than this tool; optional.",
}

_RATE = "a price per hour, 0 or more, such as 0.04048"

KEYS: tuple[Key, ...] = (
    Key("service", "cluster", TEXT, "Name or ARN of the cluster."),
    Key("service", "name", TEXT, "Name or ARN of the service."),
    Key(
        "service",
        "region",
        'the name of a region, such as "us-east-1"',
        "Region of the service. Without it AWS_REGION, AWS_DEFAULT_REGION or the profile decides.",
        'region = "us-east-1"',
    ),
    Key(
        "service",
        "owner",
        '"migrate", "pulumi" or "external"',
        "migrate: this tool's own Pulumi stacks deploy the service. pulumi: a program of the team's does, [program];\n"
        "this tool sets its configuration and runs it. external: other code owns it (Terraform, CloudFormation, CDK,\n"
        "Copilot, ecspresso); it deploys each stage, and this tool waits, proves and judges.",
    ),
    Key(
        "service",
        "owner_tool",
        '"terraform", "cloudformation", "cdk", "copilot" or "ecspresso"',
        "The language of the owner's code. Without it: what the marks on the service say.",
        'owner_tool = "terraform"',
    ),
    Key(
        "service",
        "owner_deadline",
        DURATION,
        "How long a run waits for a deployment of the owner's.",
    ),
    Key(
        "program",
        "directory",
        "the path of a folder with a Pulumi.yaml, relative to this file",
        "Folder of the program, relative to this file.",
        'directory = "infra"',
    ),
    Key("program", "stack", "the name of a stack", "Stack, as `pulumi --stack` takes it.", 'stack = "production"'),
    Key(
        "program",
        "image",
        "true or false",
        "Whether the program holds the image as well (MultiPlatformImage, or the same keys read by hand). Without it\n"
        "[image] says how the index comes to be.",
        "image = true",
    ),
    Key(
        "program",
        "namespace",
        TEXT,
        "Namespace of the configuration keys stage, image, originalDigest, architecture, arm64Revision, capacity and\n"
        "deployment.",
        'namespace = "migrate"',
    ),
    Key(
        "program",
        "keys",
        "a table of texts",
        "Other names for these keys, where the program has some of its own.",
        'keys = { architecture = "cpu" }',
    ),
    Key("image", "container", "the name of a container of the task definition", "The container whose image moves."),
    Key(
        "image",
        "mode",
        '"extend", "rebuild" or "external"',
        "extend: keep the amd64 manifest bit for bit and add arm64. rebuild: build both platforms anew.\n"
        "external: build nothing, only verify the index that your CI pushed.",
    ),
    Key(
        "image",
        "context",
        "the path of the build context, relative to this file (needed in the modes extend and rebuild)",
        "Build context, relative to this file; needed in the modes extend and rebuild.",
    ),
    Key(
        "image",
        "dockerfile",
        "the path of a Dockerfile, relative to this file",
        "Dockerfile, relative to this file. Without it: Dockerfile in the context.",
        'dockerfile = "Dockerfile"',
    ),
    Key(
        "image",
        "target",
        "the name of a stage of the Dockerfile",
        "Stage of the Dockerfile to build. Without it: the last one.",
        'target = "release"',
    ),
    Key(
        "image",
        "builder",
        "the name of a buildx builder",
        "buildx builder that can build both platforms. Without it: the current one.",
        'builder = "multi-platform"',
    ),
    Key(
        "image",
        "build_arguments",
        "a table of texts",
        "Arguments of the build (ARG of the Dockerfile). They are visible in the image: never put a secret here.",
    ),
    Key(
        "architecture",
        "mode",
        '"rolling", "canary" or "mixed"',
        "rolling: one deployment replaces the tasks as minimum and maximum healthy percent of the service allow.\n"
        "canary: a twin service on ARM64 takes a share first; once that is proven the service follows, the twin goes.\n"
        "mixed: the twin stays, beside the service as it is; stage 3 is then refused.",
    ),
    Key(
        "architecture",
        "canary_share",
        "a whole number from 1 to 100",
        "Percent of the service's tasks that the twin of canary and mixed runs in addition; at least one task.",
    ),
    Key(
        "capacity",
        "strategy",
        'a list of 1 to 20 items such as { provider = "FARGATE_SPOT", weight = 3 }',
        "Capacity provider strategy: first the base tasks, the rest by weight. base on one provider only; FARGATE and\n"
        "FARGATE_SPOT never beside an Auto Scaling group provider.",
    ),
    Key(
        "capacity",
        "steps",
        "a list of whole numbers from 1 to 99, rising",
        "Percent of the way to this strategy at which stage 3 stops and has to prove itself; [] goes at once. The way\n"
        "from Fargate to an Auto Scaling group provider always does: they cannot stand in one strategy.",
    ),
    Key(
        "capacity",
        "step_soak",
        DURATION,
        "How long everything has to pass at each of these steps. Without it: soak of [gate].",
        'step_soak = "5m"',
    ),
    Key("gate", "interval", f"{DURATION}, more than 0", "Time between two measurements."),
    Key("gate", "soak", DURATION, "How long everything has to pass without a break."),
    Key(
        "gate",
        "deadline",
        f"{DURATION}, more than soak and interval",
        "When the gate gives up waiting; more than soak.",
    ),
    Key(
        "gate",
        "failure_limit",
        LIMIT,
        "Failed measurements of one check that are allowed before the stage is rolled back.",
    ),
    Key(
        "gate",
        "error_limit",
        LIMIT,
        "Measurements in a row that may fail to be taken (throttling, network) before a person has to decide.",
    ),
    Key(
        "gate",
        "alarms",
        "a list of names of CloudWatch alarms",
        "CloudWatch alarms to watch beside those of the service's own deployment configuration.",
    ),
    Key(
        "gate",
        "inconclusive_limit",
        LIMIT,
        "Inconclusive measurements of one check that are allowed before a person has to decide.\n"
        "Without it: as many as come before the deadline.",
        "inconclusive_limit = 3",
    ),
    Key(
        "gate",
        "progress_deadline",
        f"{DURATION}, more than 0",
        "How long a rollout may stand still, no new task running and no old one gone, before a person has to decide.",
    ),
    Key(
        "gate",
        "interruption_limit",
        "a whole number from 0 to 100",
        "Percentage of the tasks that Spot may take away during the gate of stage 3 before it is rolled back.",
    ),
    Key(
        "gate",
        "metric",
        "a list of tables [[gate.metric]]",
        "CloudWatch metrics: the newest value against a condition (success, failure), or all values since the rollout\n"
        "against the time before it (compare).",
    ),
    Key(
        "gate",
        "probe",
        "a list of tables [[gate.probe]]",
        "HTTP requests: status, text of the body, seconds of the slowest one (success, failure).",
    ),
    Key(
        "gate",
        "command",
        "a list of tables [[gate.command]]",
        "Programs of yours: their exit code, or the number they print (value), against a condition. No shell.",
    ),
    Key(
        "gate",
        "webhook",
        "a list of tables [[gate.webhook]]",
        'URLs of yours: they get the stage as JSON and answer {"verdict": "pass", "value": 0.3}.',
    ),
    Key(
        "gate",
        "prometheus",
        "a list of tables [[gate.prometheus]]",
        "Instant queries of Prometheus against a condition.",
    ),
    Key(
        "notifications",
        "events",
        "a list of events, of started, stage-proven, rolled-back, went-back, held, rollback-incomplete, interrupted, "
        "refused, finished",
        "What is told, each once a run, where anybody is named below. Without it: all of them.",
        'events = ["stage-proven", "rolled-back", "held", "rollback-incomplete"]',
    ),
    Key(
        "notifications",
        "topics",
        'a list of ARNs of SNS topics such as ["arn:aws:sns:us-east-1:111122223333:migrations"]',
        "ARNs of SNS topics.",
    ),
    Key(
        "notifications",
        "event_buses",
        'a list of names or ARNs of EventBridge buses such as ["default"]',
        "Names or ARNs of EventBridge buses; the source of the events is ecs-migrate.",
    ),
    Key(
        "notifications",
        "timeout",
        f"{DURATION}, more than 0, 1m at most",
        "How long telling one of them may take in all; a run waits that long at its beginning and its end.",
    ),
    Key(
        "notifications",
        "webhook",
        "a list of tables [[notifications.webhook]]",
        "URLs that get JSON, signed as Standard Webhooks have it. url_from and secret name environment variables\n"
        "with the URL, where that is a secret, and with the key.",
    ),
)

NOT_OFFERED: dict[tuple[str, str], str] = {
    ("image", "load"): (
        "is not offered: stage 1 makes an index of two platforms and pushes it; an engine without the containerd image "
        "store cannot load one (docker exporter does not currently support exporting manifest lists)"
    ),
    ("image", "push"): "is not offered: what stage 1 builds is always pushed, by digest and without the service's tag",
    ("image", "platforms"): 'is not offered: mode decides; "extend" builds linux/arm64, "rebuild" linux/amd64 as well',
}
"""Options of other builders that make no sense here, and why (case C23)."""

STRATEGY_KEYS: tuple[Key, ...] = (
    Key("capacity.strategy", "provider", "FARGATE, FARGATE_SPOT or the name of an Auto Scaling group provider", ""),
    Key("capacity.strategy", "weight", "a whole number from 0 to 1000", ""),
    Key("capacity.strategy", "base", "a whole number from 0 to 100000", ""),
)

PRICE_KEYS: tuple[Key, ...] = (
    Key("prices.REGION", "x86_vcpu", _RATE, "", "x86_vcpu = 0.04048"),
    Key("prices.REGION", "x86_gb", _RATE, "", "x86_gb = 0.004445"),
    Key("prices.REGION", "arm_vcpu", _RATE, "", "arm_vcpu = 0.03238"),
    Key("prices.REGION", "arm_gb", _RATE, "", "arm_gb = 0.00356"),
    Key("prices.REGION", "source", "a text that says where the prices are from", "", 'source = "AWS Pricing API"'),
    Key("prices.REGION", "date", 'the date of the prices, such as "2026-11-01"', "", 'date = "2026-11-01"'),
    Key("prices.REGION", "currency", 'a currency code such as "USD"', "", 'currency = "USD"'),
    Key("prices.REGION", "x86_spot_vcpu", _RATE, "", "x86_spot_vcpu = 0.01214"),
    Key("prices.REGION", "x86_spot_gb", _RATE, "", "x86_spot_gb = 0.00133"),
    Key("prices.REGION", "arm_spot_vcpu", _RATE, "", "arm_spot_vcpu = 0.00971"),
    Key("prices.REGION", "arm_spot_gb", _RATE, "", "arm_spot_gb = 0.00107"),
)
