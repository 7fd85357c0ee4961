from __future__ import annotations

import pytest

from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64, ImageReference, Platform
from migrate.errors import SettingsError

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("nginx", "docker.io", "library/nginx", "latest", None),
        ("team/app:1.2", "docker.io", "team/app", "1.2", None),
        ("index.docker.io/library/nginx:1", "docker.io", "library/nginx", "1", None),
        ("docker.io/nginx", "docker.io", "library/nginx", "latest", None),
        ("localhost/app", "localhost", "app", "latest", None),
        ("localhost:5000/a/b:t", "localhost:5000", "a/b", "t", None),
        ("[::1]:5000/app:t", "[::1]:5000", "app", "t", None),
        (f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app@{DIGEST}", None, "app", None, DIGEST),
        (f"public.ecr.aws/team/app:1@{DIGEST}", "public.ecr.aws", "team/app", "1", DIGEST),
    ],
)
def test_references_are_read_as_docker_reads_them(
    text: str, registry: str | None, repository: str, tag: str | None, digest: str | None
) -> None:
    reference = ImageReference.parse(text)
    assert (reference.repository, reference.tag, reference.digest) == (repository, tag, digest)
    assert reference.registry == (registry or text.partition("/")[0])
    assert ImageReference.parse(str(reference)) == reference


def test_a_digest_wins_over_a_tag() -> None:
    reference = ImageReference.parse(f"app:1@{DIGEST}")
    assert reference.wanted == DIGEST
    assert reference.is_pinned
    assert not reference.tagged("2").is_pinned


@pytest.mark.parametrize(
    "text",
    ["", "App", "app:", "app@", "app:ta g", "app@sha256:1", "a//b", "http://r.io/app", "app:" + "x" * 129, "-/a"],
)
def test_what_is_no_reference_is_refused_in_words(text: str) -> None:
    with pytest.raises(SettingsError, match="is not an image reference"):
        ImageReference.parse(text)


@pytest.mark.parametrize("text", ["linux/arm64", "linux/arm64/v8", "linux/aarch64", "Linux/ARM64", "linux/arm64/8"])
def test_c09_spellings_of_arm64_are_one_platform(text: str) -> None:
    assert Platform.parse(text).canonical == LINUX_ARM64
    assert Platform.parse(text).matches(LINUX_ARM64)


@pytest.mark.parametrize(
    "text", ["linux/arm/v7", "linux/arm/v8", "linux/arm", "linux/armhf", "linux/arm64/v9", "windows/arm64"]
)
def test_c09_32_bit_arm_and_others_are_not_arm64(text: str) -> None:
    assert not Platform.parse(text).matches(LINUX_ARM64)


def test_c09_a_bogus_variant_of_amd64_is_odd_and_still_amd64() -> None:
    platform = Platform.parse("linux/amd64/v8")
    assert platform.matches(LINUX_AMD64)
    assert platform.is_odd
    assert not Platform.parse("linux/amd64/v3").is_odd


@pytest.mark.parametrize(("text", "canonical"), [("linux/x86_64", "linux/amd64"), ("linux/arm", "linux/arm/v7")])
def test_c09_other_tools_spellings_are_read(text: str, canonical: str) -> None:
    assert str(Platform.parse(text).canonical) == canonical


@pytest.mark.parametrize("text", ["arm64", "linux/", "linux/arm64/v8/x", ""])
def test_what_is_no_platform_is_refused_in_words(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a platform"):
        Platform.parse(text)
