"""What is known of an image: what a registry sent, what each child is, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from migrate.core.image.binaries import BinaryEvidence
from migrate.core.image.documents import (
    OCI_CONFIG,
    Descriptor,
    ImageConfig,
    ImageDocument,
    UnreadableKind,
    parse_document,
)
from migrate.core.image.names import ImageReference, Platform
from migrate.core.image.scan import ImageScan


@dataclass(frozen=True, slots=True)
class FetchedManifest:
    """A manifest or index as a registry sent it; ``digest`` is verified against ``body``."""

    digest: str
    media_type: str
    body: bytes

    @property
    def document(self) -> ImageDocument:
        """The body, read."""
        return parse_document(self.body, self.media_type)


@dataclass(frozen=True, slots=True)
class FetchedContent:
    """Everything read below one image: child manifests and config bodies by digest, and what could not be read."""

    manifests: Mapping[str, FetchedManifest] = field(default_factory=dict)
    configs: Mapping[str, bytes] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


class ChildKind(StrEnum):
    """What an entry of an index is to a runtime."""

    RUNNABLE = "runnable"
    UNDECLARED = "undeclared"
    ATTESTATION = "attestation"
    NOT_RUNNABLE = "not-runnable"
    UNREADABLE = "unreadable"


SELECTABLE = frozenset({ChildKind.RUNNABLE, ChildKind.UNDECLARED, ChildKind.UNREADABLE})
"""The kinds that a runtime may choose by the platform an entry offers."""


@dataclass(frozen=True, slots=True)
class ChildFacts:
    """One image below a tag.

    ``declared`` is the index entry's platform, ``actual`` the config's. ``shadowed`` says that an earlier entry has
    the same platform, so that no runtime takes this one; ``subject`` is the digest that an attestation speaks of.
    ``binary`` is what its entry point was found to be and ``scan`` what its whole content was; None: nobody looked.
    ``config_type`` is the media type that the manifest gives the config; ``size_fault`` says that the config has
    another size than the manifest gives it.
    """

    digest: str
    media_type: str
    kind: ChildKind
    declared: Platform | None = None
    actual: Platform | None = None
    config_digest: str = ""
    config: ImageConfig | None = None
    layers: tuple[Descriptor, ...] = ()
    reason: str = ""
    shadowed: bool = False
    nested: bool = False
    subject: str = ""
    binary: BinaryEvidence | None = None
    scan: ImageScan | None = None
    config_type: str = OCI_CONFIG
    size_fault: str = ""

    @property
    def offered(self) -> Platform | None:
        """What a runtime selects by: the entry's platform, or the config's where the entry has none."""
        return self.declared if self.declared is not None else self.actual

    @property
    def agrees(self) -> bool:
        """Whether index entry and config name the same platform; a config may leave the variant out."""
        if self.declared is None or self.actual is None:
            return True
        declared, actual = self.declared.canonical, self.actual.canonical
        if (declared.os, declared.architecture) != (actual.os, actual.architecture):
            return False
        return not self.actual.variant or declared.variant == actual.variant


@dataclass(frozen=True, slots=True)
class ImageProblem:
    """Something about an image that an operator should know; evidence are name and value pairs.

    ``grade`` is a word of Grade (findings.py) or ``emergency``: tasks that run now could not be replaced.
    """

    code: str
    grade: str
    text: str
    evidence: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image as a registry holds it now: ``digest`` and ``media_type`` of what the reference points at.

    ``children`` are in the index's order (one, for a plain manifest). ``unreadable`` and ``reason`` are set where the
    document itself could not be read.
    """

    reference: ImageReference
    digest: str
    media_type: str
    is_index: bool
    children: tuple[ChildFacts, ...] = ()
    remarks: tuple[str, ...] = ()
    unreadable: UnreadableKind | None = None
    reason: str = ""
    problems: tuple[ImageProblem, ...] = ()

    @property
    def runnable(self) -> tuple[ChildFacts, ...]:
        """The children that a runtime could start, shadowed ones included."""
        return tuple(child for child in self.children if child.kind is ChildKind.RUNNABLE)

    @property
    def attestations(self) -> tuple[ChildFacts, ...]:
        """The entries that only describe other ones."""
        return tuple(child for child in self.children if child.kind is ChildKind.ATTESTATION)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The real platforms, canonical and sorted: only those on which index entry and config agree."""
        found = {child.actual.canonical for child in self.runnable if _counts(child) and child.actual is not None}
        return tuple(sorted(found, key=str))

    @property
    def is_multi_platform(self) -> bool:
        """Whether more than one real platform is there; being an index alone proves nothing."""
        return len(self.platforms) > 1

    def has(self, platform: Platform) -> bool:
        """Whether a runtime of ``platform`` gets an image whose config says the same."""
        child = self.child_for(platform)
        return child is not None and child.kind is ChildKind.RUNNABLE and child.agrees

    def child_for(self, platform: Platform) -> ChildFacts | None:
        """Return what a runtime of ``platform`` would take: the first entry that offers it, right or wrong."""
        for child in self.children:
            if child.kind in SELECTABLE and child.offered is not None and child.offered.matches(platform):
                return child
        return None


def _counts(child: ChildFacts) -> bool:
    return child.agrees and not child.shadowed
