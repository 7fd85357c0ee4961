"""The Docker engine that runs a sandbox's tasks as real containers: one that answers here, else one of our own.

Our own runs in a process and mount namespace of its own: when its first process ends, however it ends, the kernel ends
everything in it and drops every mount. What stays are a bridge and empty control groups, and ``remove`` takes those.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import shutil
import signal
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from migrate.errors import EngineError
from migrate.sandbox import processes
from migrate.sandbox.toolchain import pinned
from migrate.sandbox.toolchain.commands import answer
from migrate.sandbox.toolchain.golang import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.sandbox.layout import Layout
    from migrate.sandbox.state import ProcessRecord, SandboxState

NAME = "engine"
#: In front of each thing's name or label in the engine, so that ``remove`` finds it.
LABEL = "migrate.sandbox"
# Engine API 1.48 is the first that tells which platform of an index a container runs.
_API_MINIMUM = (1, 48)
_USUAL_SOCKET = "unix:///var/run/docker.sock"
_SNAPSHOTTER = "io.containerd.snapshotter.v1"
_FORMATS = Path("/proc/sys/fs/binfmt_misc")
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
# e_machine of an ELF header, little-endian (ELF specification, "ELF header").
_MACHINES = {"x86_64": "3e00", "aarch64": "b700"}
_FOREIGN = {"x86_64": "aarch64", "aarch64": "x86_64"}
_PACKAGES = "apt-get install qemu-user-static binfmt-support"
_MOUNT = "mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && update-binfmts --enable"
_REMOVE_SECONDS = 20.0
# linux/sockios.h and linux/if.h
_SET_FLAGS, _DELETE_BRIDGE = 0x8914, 0x89A1


def obstacle() -> EngineError | None:
    """Return why tasks cannot be real containers of both architectures on this machine; None when they can be."""
    why, then = "", ""
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        why = f"Its engine has to run on Linux on x86_64 or aarch64, and this is {platform.system()}"
        why, then = f"{why} on {platform.machine()}.", "Use the sandbox without containers here."
    elif not foreign_programs_run():
        foreign = _FOREIGN[platform.machine()]
        why = f"The kernel has no handler that runs {foreign} programs here (binfmt_misc with QEMU)."
        then = f"On Debian, as root: `{_PACKAGES}`, and where nothing did it at boot `{_MOUNT}`."
    elif find() is None:
        why, then = _unable()
    if not why:
        return None
    return EngineError("The sandbox cannot run real containers on this machine.", why=why, then=then)


def _unable() -> tuple[str, str]:
    answers = "let a Docker engine of version 28 or newer with the containerd image store answer at DOCKER_HOST."
    if os.geteuid() != 0:
        return "No Docker engine answers, and only root can start one.", f"Run as root, or {answers}"
    if shutil.which("unshare") is None:
        return "No Docker engine answers, and starting one takes `unshare`, of Debian's util-linux.", f"Or {answers}"
    if shutil.which(os.environ.get("CC", "gcc")) is None and not pinned.RUNC.entry.ready:
        return (
            "No Docker engine answers, and building one takes a C compiler.",
            "On Debian: `apt-get install gcc libc6-dev`.",
        )
    if answer(("unshare", "--mount", "--pid", "--fork", "--mount-proc", "true")) is None:
        why = "No Docker engine answers, and this machine forbids new namespaces and mounts (CAP_SYS_ADMIN is missing)"
        return f"{why}, so none can be started.", f"Run on a machine or in a privileged container, or {answers}"
    return "", ""


def foreign_programs_run(formats: Path = _FORMATS) -> bool:
    """Whether the kernel hands programs of the other architecture to an interpreter."""
    machine = _MACHINES[_FOREIGN[platform.machine()]]
    for entry in formats.glob("*"):
        with contextlib.suppress(OSError):
            lines = entry.read_text(errors="replace").splitlines()
            magic = next((line.removeprefix("magic ") for line in lines if line.startswith("magic ")), "")
            if lines[:1] == ["enabled"] and magic.startswith("7f454c46") and magic.endswith(machine):
                return True
    return False


def find() -> str | None:
    """Return the address of an engine on this machine that answers and keeps the platforms of an index apart."""
    for address in dict.fromkeys((os.environ.get("DOCKER_HOST", ""), _USUAL_SOCKET)):
        if not address.startswith("unix://"):
            continue
        version, info = _asked(address, "/version"), _asked(address, "/info")
        if not version or not info or numbers(str(version.get("ApiVersion", ""))) < _API_MINIMUM:
            continue
        keeps = any(_SNAPSHOTTER in pair for pair in info.get("DriverStatus") or [])
        if keeps and "Docker Desktop" not in str(info.get("OperatingSystem", "")):
            return address
    return None


def own_address(state: SandboxState) -> str:
    """Return the address of the sandbox's own engine."""
    return f"unix://{state.run_directory}/engine.sock"


def start(programs: Sequence[Path], state: SandboxState, layout: Layout) -> ProcessRecord:
    """Start an engine that leaves the machine's firewall and networks alone; raises OSError without ``unshare``."""
    layout.engine.mkdir(parents=True, exist_ok=True)
    settings = layout.engine / "daemon.json"
    settings.write_text("{}\n")
    for folder in (Path("/run/containerd"), layout.engine / "data", Path(state.run_directory) / "engine"):
        folder.mkdir(parents=True, exist_ok=True)
    command = (
        *(shutil.which("unshare") or "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *("--propagation", "private", "sh", "-c"),
        # containerd keeps the sockets of its shims there, whatever it is told.
        'mount -t tmpfs tmpfs /run/containerd && exec "$@"',
        *("sh", programs[-1] / "dockerd", "--config-file", settings, "--host", own_address(state)),
        *("--data-root", layout.engine / "data", "--exec-root", f"{state.run_directory}/engine"),
        *("--pidfile", f"{state.run_directory}/engine.pid", "--feature", "containerd-snapshotter=true"),
        *("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"),
        *("--userland-proxy=false", "--seccomp-profile=unconfined", "--cgroup-parent", f"/{_group(state)}"),
    )
    environment = {
        "PATH": os.pathsep.join((*map(str, programs), os.environ.get("PATH", os.defpath))),
        "HOME": str(layout.engine),
        "TMPDIR": state.run_directory,
        processes.MARK_VARIABLE: state.mark,
    }
    return processes.start(NAME, command, environment, layout.logs / f"{NAME}.log")


def answers(address: str) -> bool:
    """Whether an engine answers at ``address``."""
    return _asked(address, "/version") is not None


def network(state: SandboxState) -> str:
    """Return the name of the sandbox's network; its bridge has the same, and that may have 15 characters."""
    return f"mgr-{state.mark[:8]}"


def end(state: SandboxState) -> int:
    """End the sandbox's own engine with all its containers at once; return 1 if it ran."""
    own = state.process(NAME)
    if not processes.alive(own) or own is None:
        return 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(own.pid)
        inside = process.children(recursive=True)
        # Nothing of it is wanted any more, so nothing in it is asked first; the kernel takes the rest along.
        process.send_signal(signal.SIGKILL)
        psutil.wait_procs([process, *inside], timeout=_REMOVE_SECONDS)
    return 1


def remove(state: SandboxState, layout: Layout) -> None:
    """Take away what is left of the sandbox in its engine, or of an engine of our own that has ended."""
    if state.engine != own_address(state):
        _empty(state)
        return
    _delete_bridge(network(state))
    for group in _CONTROL_GROUPS.glob(f"**/{_group(state)}"):
        folders = [group, *(entry for entry in group.rglob("*") if entry.is_dir())]
        for folder in sorted(folders, reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
    shutil.rmtree(layout.engine, ignore_errors=True)


def _group(state: SandboxState) -> str:
    return f"migrate-{state.mark[:8]}"


def _delete_bridge(name: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control, contextlib.suppress(OSError):
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sH14x", name.encode(), 0))
        fcntl.ioctl(control, _DELETE_BRIDGE, struct.pack("16s16x", name.encode()))


def _client(address: str) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=address.removeprefix("unix://"))
    return httpx.Client(transport=transport, base_url="http://engine", timeout=_REMOVE_SECONDS)


def _asked(address: str, path: str) -> dict[str, Any] | None:
    try:
        with _client(address) as client:
            found: dict[str, Any] = client.get(path).raise_for_status().json()
    except (httpx.HTTPError, OSError, ValueError):
        return None
    return found


def _empty(state: SandboxState) -> None:
    """Take our containers, network and images out of an engine that is somebody else's."""
    mine = f'{{"label": ["{LABEL}={state.mark}"]}}'
    with _client(state.engine) as client, contextlib.suppress(httpx.HTTPError, OSError, ValueError):
        for found in client.get("/containers/json", params={"all": "1", "filters": mine}).json():
            client.delete(f"/containers/{found['Id']}", params={"force": "1", "v": "1"})
        client.delete(f"/networks/{network(state)}")
        for image in client.get("/images/json").json():
            for name in {*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())}:
                if name.startswith(f"{state.registry_host}/"):
                    client.delete(f"/images/{name}", params={"force": "1"})
