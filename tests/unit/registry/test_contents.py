"""The files of an amd64 image, read from its layers by the digest of its child."""

from __future__ import annotations

from migrate.adapters.registry.contents import RegistryContents
from migrate.adapters.registry.inspect import inspect_image
from migrate.core.image.facts import ChildFacts
from migrate.core.image.names import LINUX_AMD64, ImageReference
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF, REPOSITORY, Entry, Shelf
from tests.fakes.image_registry import FakeImageRegistry

IMAGE = ImageReference("registry.example", REPOSITORY, tag="tag1")


def child(shelf: Shelf, *entries: Entry) -> ChildFacts:
    shelf.image("linux/amd64", *entries, tag="tag1")
    found = inspect_image(FakeImageRegistry(shelf), IMAGE).child_for(LINUX_AMD64)
    assert found is not None
    return found


def test_packages_are_told_from_what_was_copied_in() -> None:
    shelf = Shelf()
    amd64 = child(
        shelf,
        Entry("usr/bin/curl", AMD64_ELF),
        Entry("app/server", AMD64_ELF),
        Entry("app/other", ARM64_ELF),
        Entry("var/lib/dpkg/status", b"Package: curl\n", mode=0o644),
        Entry("var/lib/dpkg/info/curl.list", b"/.\n/usr/bin/curl\n", mode=0o644),
        Entry("app/site-packages/numpy-2.dist-info/WHEEL", b"Tag: cp312-cp312-manylinux2014_x86_64\n", mode=0o644),
    )
    found = RegistryContents(FakeImageRegistry(shelf)).crossing(IMAGE, amd64)
    assert (found.digest, found.own, found.owners_known) == (amd64.digest, ("/app/server",), True)
    assert found.wheels == (("numpy-2", "cp312-cp312-manylinux2014_x86_64"),)


def test_a_child_is_read_once() -> None:
    shelf = Shelf()
    amd64 = child(shelf, Entry("app", AMD64_ELF))
    contents = RegistryContents(FakeImageRegistry(shelf))
    first = contents.crossing(IMAGE, amd64)
    shelf.blobs.clear()
    assert contents.crossing(IMAGE, amd64) == first


def test_layers_that_are_gone_or_damaged_are_a_problem_and_no_error() -> None:
    shelf = Shelf()
    amd64 = child(shelf, Entry("app", AMD64_ELF))
    shelf.blobs.clear()
    assert "has no blob" in RegistryContents(FakeImageRegistry(shelf)).crossing(IMAGE, amd64).problem
