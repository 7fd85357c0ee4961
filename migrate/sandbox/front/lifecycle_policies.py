"""What ECR accepts as a lifecycle policy (ECR user guide, "Lifecycle policy properties" and "evaluation rules")."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from migrate.sandbox.front.http import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.sandbox.front.http import Json

_SHORTEST, _LONGEST, _MOST_RULES, _MOST_WILDCARDS = 100, 30720, 50, 4
_SINCE = ("sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
_COUNT_TYPES = ("imageCountMoreThan", *_SINCE)
_LEAST_DAYS_IN_ARCHIVE = 90


def check(text: str) -> None:
    """Raise InvalidParameterException for what ECR would not store."""
    if not _SHORTEST <= len(text) <= _LONGEST:
        raise _refused(f"the text has {len(text)} characters, allowed are {_SHORTEST} to {_LONGEST}")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _refused(f"the text is not JSON: {error}") from error
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list) or not 1 <= len(rules) <= _MOST_RULES:
        raise _refused(f"a policy has 1 to {_MOST_RULES} rules")
    for rule in rules:
        problem = next(_problems(rule), None) if isinstance(rule, dict) else "a rule is an object"
        if problem:
            raise _refused(f"rule {rule.get('rulePriority') if isinstance(rule, dict) else rule}: {problem}")
    problem = next(_together(rules), None)
    if problem:
        raise _refused(problem)


def _refused(problem: str) -> AwsError:
    message = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation "
    return AwsError("InvalidParameterException", f"{message}failure: {problem}'")


def _problems(rule: Json) -> Iterator[str]:
    selection, action = rule.get("selection"), rule.get("action")
    if not isinstance(selection, dict) or not isinstance(action, dict):
        yield "selection and action are required"
        return
    if not _positive(rule.get("rulePriority")):
        yield "rulePriority is a positive integer"
    yield from _tag_problems(selection)
    yield from _count_problems(selection, action)
    if action.get("type") not in ("expire", "transition"):
        yield "the action is expire or transition"
    if (action.get("type") == "transition") != (action.get("targetStorageClass") == "archive"):
        yield "targetStorageClass archive belongs to transition, and only there"


def _tag_problems(selection: Json) -> Iterator[str]:
    status = selection.get("tagStatus")
    lists = [selection[name] for name in ("tagPrefixList", "tagPatternList") if selection.get(name)]
    if status not in ("tagged", "untagged", "any"):
        yield "tagStatus is tagged, untagged or any"
    if (status == "tagged") != bool(lists) or len(lists) > 1:
        yield "tagStatus tagged needs one of tagPrefixList and tagPatternList, the others need none"
    if any(str(pattern).count("*") > _MOST_WILDCARDS for pattern in selection.get("tagPatternList") or []):
        yield f"a pattern has at most {_MOST_WILDCARDS} wildcards"


def _count_problems(selection: Json, action: Json) -> Iterator[str]:
    kind, storage = selection.get("countType"), selection.get("storageClass", "standard")
    if kind not in _COUNT_TYPES:
        yield f"countType is one of {', '.join(_COUNT_TYPES)}"
    if not _positive(selection.get("countNumber")):
        yield "countNumber is a positive integer"
    if (selection.get("countUnit") == "days") != (kind in _SINCE):
        yield "countUnit days belongs to the count types of days, and only there"
    if storage != ("archive" if kind == "sinceImageTransitioned" else "standard"):
        yield "storageClass is archive for sinceImageTransitioned, and standard for the others"
    if kind == "sinceImagePulled" and action.get("type") != "transition":
        yield "sinceImagePulled goes with transition only"
    if kind == "sinceImageTransitioned":
        if action.get("type") != "expire":
            yield "sinceImageTransitioned goes with expire only"
        if _positive(selection.get("countNumber")) and selection["countNumber"] < _LEAST_DAYS_IN_ARCHIVE:
            yield f"archived images are kept for {_LEAST_DAYS_IN_ARCHIVE} days"


def _together(rules: list[Json]) -> Iterator[str]:
    priorities = [rule["rulePriority"] for rule in rules]
    if len(set(priorities)) < len(priorities):
        yield "each rulePriority stands once"
    selections = [(rule["rulePriority"], rule["selection"]) for rule in rules]
    last_of_tags = max((priority for priority, item in selections if item["tagStatus"] != "any"), default=0)
    if any(priority < last_of_tags for priority, item in selections if item["tagStatus"] == "any"):
        yield "a rule with tagStatus any has the highest rulePriority"
    untagged = Counter(
        item.get("storageClass", "standard") for _, item in selections if item["tagStatus"] == "untagged"
    )
    if max(untagged.values(), default=0) > 1:
        yield "only one rule may select untagged images"
    prefixes = Counter(
        (item.get("storageClass", "standard"), prefix) for _, item in selections for prefix in _prefixes(item)
    )
    if max(prefixes.values(), default=0) > 1:
        yield "a prefix stands in one rule only"


def _prefixes(selection: Json) -> list[Any]:
    prefixes: list[Any] = selection.get("tagPrefixList") or []
    return prefixes


def _positive(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
