from __future__ import annotations

import os
from pathlib import Path

import pytest
from pulumi.automation import LocalWorkspace

from migrate.adapters.pulumi.engine import Engine
from migrate.adapters.pulumi.workspace import StackAddress, StackKind, StackWorkspaces
from migrate.core.desired_state import ImageStackInputs
from migrate.core.settings import ImageSettings
from migrate.errors import AccessError
from stacks.inputs import inputs_from_text

ADDRESS = StackAddress("123456789012", "eu-west-1", "demo", "web", "registry")


def _engine(directory: Path, **more: str) -> Engine:
    program = directory / "pulumi"
    program.write_text("#!/bin/sh\necho v3.274.1\n")
    program.chmod(0o755)
    return Engine({"PATH": f"{directory}{os.pathsep}{os.defpath}", **more})


def _workspaces(directory: Path, **more: str) -> StackWorkspaces:
    return StackWorkspaces(ADDRESS, directory / "state", _engine(directory, **more))


def test_a_stack_is_named_after_its_service() -> None:
    assert ADDRESS.stack_name == "123456789012.eu-west-1.demo.web"


def test_two_services_never_share_a_name() -> None:
    first = StackAddress("1", "r", "a-b", "c")
    second = StackAddress("1", "r", "a", "b-c")
    assert first.stack_name != second.stack_name


def test_a_long_name_is_cut_and_stays_unique() -> None:
    names = {StackAddress("1", "r", "c" * 200, service).stack_name for service in ("one", "two")}
    assert len(names) == 2
    assert all(len(name) <= 100 for name in names)


def test_the_state_is_a_local_folder_unless_told(tmp_path: Path) -> None:
    environment = _workspaces(tmp_path).environment
    assert environment["PULUMI_BACKEND_URL"] == (tmp_path / "state" / "pulumi" / "state").as_uri()


def test_a_passphrase_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    file = Path(_workspaces(tmp_path).environment["PULUMI_CONFIG_PASSPHRASE_FILE"])
    made = file.read_text()
    assert len(made) >= 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert _workspaces(tmp_path).environment["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(file)
    assert file.read_text() == made
    assert [path.name for path in file.parent.glob("passphrase*")] == ["passphrase"]


@pytest.mark.parametrize("name", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
def test_the_persons_own_passphrase_is_used(tmp_path: Path, name: str) -> None:
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in _workspaces(tmp_path, **{name: "x"}).environment


def test_a_shared_backend_needs_a_passphrase_that_everybody_has(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="everybody"):
        _workspaces(tmp_path, PULUMI_BACKEND_URL="s3://bucket")


def test_pulumi_cloud_keeps_its_secrets_itself(tmp_path: Path) -> None:
    environment = _workspaces(tmp_path, PULUMI_BACKEND_URL="https://api.pulumi.com").environment
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environment


def test_the_configuration_holds_the_inputs_with_paths_as_the_engine_sees_them(tmp_path: Path) -> None:
    workspaces = _workspaces(tmp_path)
    directory = workspaces.directory(StackKind.IMAGE)
    context = tmp_path / "app"
    build = ImageSettings("app", context=str(context), dockerfile=str(context / "Dockerfile.arm"))
    _configure(workspaces, build)
    written = _written(directory)
    assert (directory / written.build.context).resolve() == context
    assert (directory / (written.build.dockerfile or "")).resolve() == context / "Dockerfile.arm"
    assert not Path(written.build.context).is_absolute()


def test_a_context_in_a_repository_stays_a_url(tmp_path: Path) -> None:
    workspaces = _workspaces(tmp_path)
    _configure(workspaces, ImageSettings("app", context="https://github.com/team/app.git#main"))
    assert _written(workspaces.directory(StackKind.IMAGE)).build.context == "https://github.com/team/app.git#main"


def test_what_else_is_configured_stays(tmp_path: Path) -> None:
    workspaces = _workspaces(tmp_path)
    _configure(workspaces, ImageSettings("app"))
    file = workspaces.directory(StackKind.IMAGE) / f"Pulumi.{ADDRESS.stack_name}.yaml"
    file.write_text(f"encryptionsalt: v1:salt\n{file.read_text()}  aws:maxRetries: '3'\n")
    _configure(workspaces, ImageSettings("app"))
    settings = LocalWorkspace(work_dir=str(file.parent), pulumi_command=workspaces.engine).stack_settings(
        ADDRESS.stack_name
    )
    assert settings.encryption_salt == "v1:salt"
    assert settings.config is not None
    assert (settings.config["aws:maxRetries"], settings.config["aws:region"]) == ("3", "eu-west-1")


def test_plain_pulumi_finds_a_project_and_a_program_in_the_working_directory(tmp_path: Path) -> None:
    workspaces = _workspaces(tmp_path)
    assert not workspaces.exists(StackKind.SERVICE)
    workspaces.open(StackKind.SERVICE)
    directory = workspaces.directory(StackKind.SERVICE)
    assert "name: migrate-service" in (directory / "Pulumi.yaml").read_text()
    assert (directory / "__main__.py").read_text() == "from stacks.service.program import main\n\nmain()\n"


def _configure(workspaces: StackWorkspaces, build: ImageSettings) -> None:
    workspaces.open(StackKind.IMAGE)
    workspaces.configure(StackKind.IMAGE, ImageStackInputs("demo/app", True, "t", "shelf", "sha256:1", build, "t"))
    assert workspaces.exists(StackKind.IMAGE)


def _written(directory: Path) -> ImageStackInputs:
    workspace = LocalWorkspace(work_dir=str(directory), pulumi_command=_engine(directory))
    config = workspace.stack_settings(ADDRESS.stack_name).config
    assert config is not None
    return inputs_from_text(ImageStackInputs, config["migrate:inputs"])


def test_what_another_state_directory_has_written_may_be_there_on_a_backend_that_was_named(tmp_path: Path) -> None:
    alone = _workspaces(tmp_path)
    shared = _workspaces(tmp_path, PULUMI_BACKEND_URL="s3://state", PULUMI_CONFIG_PASSPHRASE_FILE="/team/passphrase")
    assert not alone.may_exist(StackKind.SERVICE)
    assert shared.may_exist(StackKind.SERVICE)
    assert not shared.exists(StackKind.SERVICE)
