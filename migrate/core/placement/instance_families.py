"""EC2 instance types by CPU architecture, for judging placement expressions where no instance is there to ask.

Sources: EC2 instance types guide, "Instance family" tables (processor AWS Graviton), and "Instance type naming
conventions": the letter g after the generation means Graviton. a1 is older than the convention.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_SIZES = ("medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
_LATER = (*_SIZES, "24xlarge", "48xlarge", "metal-24xl", "metal-48xl")
_NO_MEDIUM = _SIZES[1:]

GRAVITON_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "a1": ("medium", "large", "xlarge", "2xlarge", "4xlarge", "metal"),
    "t4g": ("nano", "micro", "small", "medium", "large", "xlarge", "2xlarge"),
    **dict.fromkeys(("m6g", "m6gd", "c6g", "c6gd", "r6g", "r6gd", "x2gd"), (*_SIZES, "metal")),
    "c6gn": _SIZES,
    **dict.fromkeys(("m7g", "m7gd", "c7g", "c7gd", "c7gn", "r7g", "r7gd"), (*_SIZES, "metal")),
    **dict.fromkeys(("m8g", "m8gd", "m8gn", "m8gb", "c8g", "c8gd", "c8gn", "c8gb"), _LATER),
    **dict.fromkeys(("r8g", "r8gd", "r8gn", "r8gb", "x8g"), _LATER),
    "im4gn": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"),
    "is4gen": ("medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge"),
    "i4g": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"),
    "i8g": (*_NO_MEDIUM, "24xlarge", "48xlarge", "metal-24xl", "metal-48xl"),
    "i8ge": (*_NO_MEDIUM, "18xlarge", "24xlarge", "48xlarge", "metal-24xl", "metal-48xl"),
    "hpc7g": ("4xlarge", "8xlarge", "16xlarge"),
    "g5g": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge", "metal"),
}
"""Graviton families and their sizes."""

_X86_FAMILIES = (
    *("t2", "t3", "t3a", "m4", "m5", "m5a", "m5d", "m5n", "m6a", "m6i", "m6id", "m6in", "m7a", "m7i", "m7i-flex"),
    *("m8i", "m8a", "c4", "c5", "c5a", "c5d", "c5n", "c6a", "c6i", "c6id", "c6in", "c7a", "c7i", "c7i-flex", "c8i"),
    *("r4", "r5", "r5a", "r5d", "r5n", "r6a", "r6i", "r6id", "r7a", "r7i", "r8i", "x1", "x2idn", "i3", "i3en", "i4i"),
    *("i7i", "d2", "d3", "g4dn", "g5", "g6", "p3", "p4d", "p5", "inf1", "inf2", "trn1", "z1d", "h1", "hpc6a", "hpc7a"),
)
_NAMED_LIKE_GRAVITON = re.compile(r"(?:a1|[a-z]+\d+g[a-z]*)\.[a-z0-9-]+")
_NEXT_GENERATIONS = {"m": 9, "c": 9, "r": 9, "x": 9, "i": 9, "t": 5, "im": 5, "is": 5, "hpc": 8, "g": 7}
"""The first generation of each series that may come with Graviton and is not known here."""

_LAST_GENERATION = 15
_SUFFIXES = ("g", "gd", "gn", "gb", "ge", "gen")

GRAVITON_TYPES: tuple[str, ...] = tuple(
    f"{family}.{size}" for family, sizes in GRAVITON_FAMILIES.items() for size in sizes
)
"""Every Graviton instance type known here."""

X86_TYPES: tuple[str, ...] = tuple(
    f"{family}.{size}" for family in _X86_FAMILIES for size in ("small", "medium", "large", "xlarge", "2xlarge")
)
"""Common x86 types, enough to tell an expression that wants x86 from one that wants nothing that exists."""


def named_like_graviton(instance_type: str) -> bool:
    """Tell whether a type's name follows the convention for Graviton (m7g.large, and any later family)."""
    return _NAMED_LIKE_GRAVITON.fullmatch(instance_type) is not None


def imagined_graviton_types(mentioned: Iterable[str]) -> tuple[str, ...]:
    """Return types that may exist without being known here: later families, and ``mentioned`` ones named like them.

    An expression that only these satisfy is neither refused nor waved through.
    """
    later = (
        f"{series}{generation}{suffix}.{size}"
        for series, first in _NEXT_GENERATIONS.items()
        for generation in range(first, _LAST_GENERATION + 1)
        for suffix in _SUFFIXES
        for size in ("large", "2xlarge")
    )
    return (*later, *(name for name in mentioned if named_like_graviton(name) and name not in GRAVITON_TYPES))
