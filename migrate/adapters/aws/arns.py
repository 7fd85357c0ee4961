"""Amazon Resource Names of ECS, long and short (ECS developer guide, "Amazon Resource Names (ARNs) and IDs")."""

from __future__ import annotations

from migrate.errors import SettingsError

_PARTS = 6


def is_arn(text: str) -> bool:
    """Tell whether the text is an ARN and not a name."""
    return text.startswith("arn:")


def name_of(text: str) -> str:
    """Return the name at the end of an ARN (``service/CLUSTER/NAME`` and ``service/NAME`` alike), or the name given."""
    return text.rpartition("/")[2] if is_arn(text) else text


def region_of(arn: str) -> str:
    """Return the region of an ARN."""
    return arn.split(":", _PARTS - 1)[3] if arn.count(":") >= _PARTS - 1 else ""


def check_region(text: str, region: str) -> None:
    """Refuse an ARN of another region: AWS would only answer that there is no such thing. Raises SettingsError."""
    if is_arn(text) and region_of(text) not in {"", region}:
        raise SettingsError(
            f"{text} is in {region_of(text)}, but this run is about {region}.",
            why="The region comes from the setting `region`, AWS_REGION, AWS_DEFAULT_REGION or the profile.",
            then=f"Set `region` to {region_of(text)} in migrate.toml, or name a service of {region}.",
            runbook="errors#region",
        )
