"""Every key of the operator's own checks: what it may hold, and what it means."""

from __future__ import annotations

from collections.abc import Mapping

from migrate.config.key import DURATION, LIMIT, TEXT, Key

_CONDITION = 'a condition such as "<= 0.01", "== 200" or "> 0 and < 5"'
_URL = "an http or https URL without name and password"
_HEADERS = 'a table of headers and names of environment variables such as { Authorization = "TOKEN_OF_MINE" }'
_POSITIVE = "a whole number, 1 or more"
_TIMEOUT = f"{DURATION}, more than 0"

_COMMON: tuple[tuple[str, str], ...] = (
    ("name", TEXT + ", not that of another check"),
    ("success", _CONDITION),
    ("failure", _CONDITION),
    ("interval", f"{DURATION}, more than 0"),
    ("count", _POSITIVE),
    ("initial_delay", DURATION),
    ("failure_limit", LIMIT),
    ("inconclusive_limit", LIMIT),
    ("error_limit", LIMIT),
    ("stages", "a list of stages, 0 to 3"),
)
_OWN: Mapping[str, tuple[tuple[str, str], ...]] = {
    "metric": (
        ("namespace", 'the namespace of a CloudWatch metric, such as "AWS/ApplicationELB"'),
        ("metric", "the name of a CloudWatch metric"),
        ("statistic", 'a CloudWatch statistic such as "Average", "Sum" or "p99"'),
        ("dimensions", 'a table of texts such as { LoadBalancer = "app/web/0123456789abcdef" }'),
        ("period", f"{DURATION}: 1, 5, 10, 20 or 30 seconds, or whole minutes"),
        ("compare", '"increase", "decrease" or "either": which change against the time before is bad'),
        ("compare_with", '"before" or "service": the amd64 service, where a twin is judged'),
        ("window", _TIMEOUT),
        ("confidence", "a number between 0 and 1, such as 0.98"),
        ("tolerance", "a number, 0 or more, such as 0.1 for 10 %"),
        ("minimum", _POSITIVE),
        ("no_data", '"inconclusive" or "fail"'),
    ),
    "probe": (
        ("url", _URL),
        ("method", '"GET", "HEAD", "POST" or "OPTIONS"'),
        ("status", "a list of HTTP status codes such as [200]"),
        ("contains", TEXT),
        ("timeout", _TIMEOUT),
        ("samples", "a whole number from 1 to 100"),
        ("headers", _HEADERS),
    ),
    "command": (
        ("command", 'a list of texts, program first, such as ["./smoke-test", "--quick"]'),
        ("value", '"exit-code" or "stdout"'),
        ("timeout", _TIMEOUT),
    ),
    "webhook": (("url", _URL), ("timeout", _TIMEOUT), ("headers", _HEADERS)),
    "prometheus": (
        ("url", _URL),
        ("query", "an instant query of Prometheus"),
        ("timeout", _TIMEOUT),
        ("headers", _HEADERS),
    ),
}

CHECK_KEYS: Mapping[str, tuple[Key, ...]] = {
    kind: tuple(Key(f"gate.{kind}", name, expected, "") for name, expected in (*_COMMON, *own))
    for kind, own in _OWN.items()
}
"""By kind, the keys in the order of the model."""

CHECK_EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "metric": (
        'name = "5xx of the targets"',
        'namespace = "AWS/ApplicationELB"',
        'metric = "HTTPCode_Target_5XX_Count"',
        'statistic = "Sum"',
        'dimensions = { LoadBalancer = "app/web/0123456789abcdef" }',
        'compare = "increase"',
    ),
    "probe": ('name = "home page"', 'url = "https://example.com/health"', "status = [200]", 'success = "<= 0.5"'),
    "command": ('name = "smoke test"', 'command = ["./smoke-test", "--quick"]', 'success = "== 0"', "stages = [2, 3]"),
    "webhook": (
        'name = "release desk"',
        'url = "https://example.com/verdict"',
        'headers = { Authorization = "RELEASE_DESK_TOKEN" }',
    ),
    "prometheus": (
        'name = "error rate"',
        'url = "http://prometheus.example.com:9090"',
        "query = 'sum(rate(http_errors_total[5m])) / sum(rate(http_requests_total[5m]))'",
        'success = "<= 0.01"',
        "failure_limit = 1",
    ),
}
"""By kind, a table as it may stand in migrate.toml."""
