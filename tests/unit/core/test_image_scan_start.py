from __future__ import annotations

from typing import Any

import pytest

from migrate.core.image.binaries import BinaryVerdict, ProcessOverrides, path_variables
from migrate.core.image.scan import ImageScan
from migrate.core.image.scan_commands import launched, read_shell
from migrate.core.image.scan_runtimes import Runtime
from tests.fakes.image_trees import ARM64, GLIBC, X86, Content, Files, arm64, scanned

SHELL: dict[str, Content] = {"/bin/sh": ARM64, "/usr/bin/env": ARM64}
X86_SERVER: dict[str, Content] = {"/opt/server": X86}


def started(scan: ImageScan) -> tuple[BinaryVerdict, str]:
    return scan.start.verdict, scan.start.path


@pytest.mark.parametrize(
    "arguments",
    [
        ("tini", "-s", "-e", "143", "--", "/opt/server"),
        ("tini", "/opt/server", "-g"),
        ("dumb-init", "--rewrite", "15:3", "--", "/opt/server"),
        ("gosu", "nobody", "/opt/server"),
        ("su-exec", "1000:1000", "/opt/server"),
        ("setpriv", "--reuid", "1000", "--init-groups", "/opt/server"),
        ("env", "-i", "A=b", "/opt/server"),
        ("env", "-S", "A=b /opt/server -x"),
        ("nice", "-n", "10", "/opt/server"),
        ("timeout", "-k", "5", "1h", "/opt/server"),
        ("stdbuf", "-oL", "/opt/server"),
        ("chpst", "-u", "app", "/opt/server"),
        ("tini", "--", "gosu", "nobody", "env", "A=b", "/opt/server"),
    ],
)
def test_c06_launchers_hand_on_to_what_they_start(arguments: tuple[str, ...]) -> None:
    tools: dict[str, Content] = {
        f"/usr/bin/{name}": ARM64 for name in ("tini", "dumb-init", "gosu", "su-exec", "setpriv", "nice")
    }
    tools |= {f"/usr/bin/{name}": ARM64 for name in ("env", "timeout", "stdbuf", "chpst")}
    found = scanned({**tools, **X86_SERVER}, entrypoint=arguments)
    assert started(found) == (BinaryVerdict.X86_64, "/opt/server")
    assert found.start.chain[-1] == "/opt/server"
    good = scanned({**tools, "/opt/server": ARM64}, entrypoint=arguments)
    assert good.start.verdict is BinaryVerdict.ARM64


def test_c06_a_launcher_whose_program_is_missing_decides_nothing() -> None:
    found = scanned({"/usr/bin/tini": ARM64}, entrypoint=("tini", "--", "server", "--port", "80"))
    assert found.start.verdict is BinaryVerdict.UNDECIDED
    assert "server is not a file of the image" in found.start.reason
    by_env = scanned({"/app": "#!/usr/bin/env python3\n", **SHELL})
    assert "python3 is not a file of the image" in by_env.start.reason


@pytest.mark.parametrize(
    "text",
    [
        "#!/usr/bin/env -S python3 -u\n",
        "#!/usr/bin/env -Spython3 -u\n",
        "#!/usr/bin/env python3\n",
        "#!/usr/bin/python3 -u\n",
    ],
)
def test_c06_the_interpreter_of_a_script_is_found_through_env_and_its_options(text: str) -> None:
    found = scanned({"/app": text, **SHELL, "/usr/bin/python3": X86})
    assert started(found) == (BinaryVerdict.X86_64, "/usr/bin/python3")
    assert scanned({"/app": text, **SHELL, "/usr/bin/python3": ARM64}).runtimes == (Runtime.PYTHON,)


@pytest.mark.parametrize("first", ["#!/bin/sh -e\n", "#!/usr/bin/env sh\n", "#!/usr/bin/env -S sh -eu\n"])
@pytest.mark.parametrize(
    "text",
    [
        'exec /opt/server "$@"',
        "APP=/opt/server\nexec $APP",
        "exec ${APP:-/opt/server}",
        'exec "${BASE}/server"',
        'set -- /opt/server --port 80\nexec gosu nobody "$@"',
        "if true; then\n  /opt/server &\nfi\nwait",
        "exec > /dev/null 2>&1 /opt/server",
        "x=$(date) /opt/server",
        'exec su-exec nobody "$BASE"/server',
        "exec \\\n  /opt/server",
        "(cd /opt && ./../opt/server)",
        "cat <<-'EOF'\n\tIt's /srv\n\tEOF\n/opt/server",
        "cat > /x <<EOF\nDon't\nEOF\nexec /opt/server\necho 'done'",
        "bash /opt/inner.sh",
        "/opt/inner.sh",
    ],
)
def test_c06_what_a_script_plainly_starts_is_found(first: str, text: str) -> None:
    files: dict[str, Content] = {"/app": f"{first}{text}\n", **SHELL, **X86_SERVER, "/bin/bash": ARM64}
    files |= {"/usr/bin/su-exec": ARM64, "/usr/bin/gosu": ARM64, "/opt/inner.sh": "#!/bin/sh\nexec /opt/server\n"}
    found = scanned(files, environment=(("BASE", "/opt"),))
    assert started(found) == (BinaryVerdict.X86_64, "/opt/server")


@pytest.mark.parametrize(
    "text",
    [
        "# exec /opt/server",
        "echo /opt/server",
        "cat <<EOF\n/opt/server\nEOF",
        "printf '%s' /opt/server",
        "[ -x /opt/server ]",
    ],
)
def test_c06_a_name_that_is_not_started_is_no_fault(text: str) -> None:
    files: dict[str, Content] = {"/app": f"#!/bin/sh\n{text}\nexec /srv\n", **SHELL, **X86_SERVER}
    found = scanned({**files, "/srv": ARM64, "/usr/bin/cat": ARM64})
    assert started(found) == (BinaryVerdict.ARM64, "/srv")


CHOICE = "#!/bin/sh\ncase $(uname -m) in\n x86_64) exec /app-amd64;;\n aarch64) exec /app-arm64;;\nesac\n"


def test_c06_a_script_that_chooses_by_machine_is_judged_by_its_choice() -> None:
    both = scanned({"/app": CHOICE, **SHELL, "/app-amd64": X86, "/app-arm64": ARM64})
    assert started(both) == (BinaryVerdict.ARM64, "/app-arm64")
    lacking = scanned({"/app": CHOICE, **SHELL, "/app-amd64": X86})
    assert lacking.start.verdict is BinaryVerdict.UNDECIDED
    assert "looks at its machine" in lacking.start.reason
    wrong = scanned({"/app": CHOICE, **SHELL, "/app-amd64": X86, "/app-arm64": X86})
    assert wrong.start.verdict is BinaryVerdict.UNDECIDED


@pytest.mark.parametrize("text", ['exec "$SERVER"', "eval $COMMAND", 'exec tini -- "$SERVER"', "exec `cat /command`"])
def test_c06_a_start_that_only_the_run_can_tell_is_unknown_where_x86_programs_lie_about(text: str) -> None:
    files = {"/app": f"#!/bin/sh\n{text}\n", **SHELL, "/usr/bin/tini": ARM64, "/usr/bin/cat": ARM64}
    clean = scanned({**files, "/opt/server": ARM64})
    assert clean.start.verdict is BinaryVerdict.ARM64
    found = scanned({**files, **X86_SERVER})
    assert found.start.verdict is BinaryVerdict.UNDECIDED
    assert "/opt/server" in found.start.reason


def test_c06_a_script_that_was_cut_off_hands_on_its_command() -> None:
    text = "#!/bin/sh\n" + "# a long story\n" * 400
    assert started(scanned({"/app": text, **SHELL, **X86_SERVER}, command=("/opt/server",)))[1] == "/opt/server"
    found = scanned({"/app": text, **SHELL, **X86_SERVER})
    assert found.start.verdict is BinaryVerdict.UNDECIDED


def test_c06_the_command_of_an_entry_script_is_followed_where_it_is_handed_on() -> None:
    files = {"/app": '#!/bin/sh\nset -e\nmkdir -p /x\nexec "$@"\n', **SHELL, "/bin/mkdir": ARM64, **X86_SERVER}
    assert started(scanned(files, command=("/opt/server", "-x"))) == (BinaryVerdict.X86_64, "/opt/server")


POSTGRES = """#!/usr/bin/env bash
set -e
# (will allow for "$PASSWORD_FILE" to fill it in, for Docker's secrets)
file_env() {
\tlocal var="$1"
\tif [ "${!var:-}" ]; then echo >&2 "error: $var"; exit 1; fi
\tval="$(< "${!var}")"
}
if [ "${1:0:1}" = '-' ]; then
\tset -- postgres "$@"
fi
if [ "$1" = 'postgres' ] && [ "$(id -u)" = '0' ]; then
\tchown -R postgres "$PGDATA" 2>/dev/null || :
\texec gosu postgres "$BASH_SOURCE" "$@"
fi
cat >&2 <<-'EOWARN'
\tIn Docker's default configuration, this is any other container.
\tEOWARN
psql=( psql -v ON_ERROR_STOP=1 )
"${psql[@]}" --username postgres <<-EOSQL
\tCREATE DATABASE "$POSTGRES_DB" ;
EOSQL
exec "$@"
"""


def test_c06_the_entry_script_of_a_database_leads_to_its_server() -> None:
    tools = ("bash", "id", "chown", "gosu", "psql", "cat")
    files: dict[str, Content] = {"/app": POSTGRES, **SHELL, **{f"/usr/bin/{name}": ARM64 for name in tools}}
    good = scanned({**files, "/usr/bin/postgres": ARM64}, command=("postgres",))
    assert started(good) == (BinaryVerdict.ARM64, "/usr/bin/postgres")
    assert started(scanned({**files, "/usr/bin/postgres": X86}, command=("postgres",)))[1] == "/usr/bin/postgres"
    assert started(scanned({**files, "/usr/bin/gosu": X86}, command=("postgres",)))[1] == "/usr/bin/gosu"


@pytest.mark.timeout(120)
def test_c06_scripts_that_start_each_other_end() -> None:
    files = {f"/{name}": f"#!/bin/sh\n{'; '.join(f'/{other}' for other in 'abcdef')}\n" for name in "abcdef"}
    found = scanned({**files, **SHELL}, entrypoint=("/a",))
    assert found.start.verdict is BinaryVerdict.ARM64


@pytest.mark.parametrize(
    ("files", "entrypoint", "runtime"),
    [
        ({"/usr/bin/node": ARM64}, ("node", "server.js"), Runtime.NODE),
        ({"/usr/local/bin/python3.11": ARM64}, ("python3.11", "-m", "app"), Runtime.PYTHON),
        ({"/usr/bin/gunicorn": "#!/usr/bin/python3\n", "/usr/bin/python3": ARM64}, ("gunicorn",), Runtime.PYTHON),
        ({"/usr/bin/java": ARM64}, ("java", "-jar", "/app.jar"), Runtime.JVM),
        ({"/bin/ruby": ARM64, **SHELL}, ("sh", "-c", "bundle install; exec ruby app.rb"), Runtime.RUBY),
        ({"/srv/uwsgi-own": arm64("libpython3.11.so.1.0")}, ("/srv/uwsgi-own",), Runtime.PYTHON),
        ({"/srv/launch": arm64("libjvm.so")}, ("/srv/launch",), Runtime.JVM),
        (
            {"/usr/bin/ddtrace-run": "#!/usr/bin/python3\n", "/usr/bin/python3": ARM64, "/usr/bin/node": ARM64},
            ("ddtrace-run", "node", "x"),
            Runtime.NODE,
        ),
    ],
)
def test_the_interpreter_that_runs_is_known(files: Files, entrypoint: tuple[str, ...], runtime: Runtime) -> None:
    assert runtime in scanned(files, entrypoint=entrypoint).runtimes


def test_an_alternative_name_of_an_interpreter_is_known_by_its_link() -> None:
    found = scanned({"/usr/bin/python3.11": ARM64}, {"/app": "/usr/bin/python3.11"})
    assert found.runtimes == (Runtime.PYTHON,)


CHECK = ProcessOverrides(health_check=("CMD-SHELL", "curl -f http://localhost/ || exit 1"))
CURL: dict[str, Content] = {"/app": ARM64, **SHELL, "/usr/bin/curl": X86}


def test_c06_the_health_check_of_the_definition_goes_through_a_shell() -> None:
    found = scanned(CURL, overrides=CHECK)
    assert found.start.verdict is BinaryVerdict.ARM64
    assert found.health_check is not None
    assert (found.health_check.verdict, found.health_check.path) == (BinaryVerdict.X86_64, "/usr/bin/curl")
    assert found.health_check.chain == ("/bin/sh", "curl -> /usr/bin/curl")
    assert not found.checks_itself


def test_c06_a_shell_that_is_missing_or_wrong_fails_the_check() -> None:
    missing = scanned({"/app": ARM64, "/usr/bin/curl": ARM64}, overrides=CHECK).health_check
    assert missing is not None
    assert missing.verdict is BinaryVerdict.UNDECIDED
    assert "/bin/sh is not a file of the image" in missing.reason
    wrong = scanned({"/app": ARM64, "/bin/sh": X86, "/usr/bin/curl": ARM64}, overrides=CHECK).health_check
    assert wrong is not None
    assert wrong.path == "/bin/sh"


@pytest.mark.parametrize(
    ("check", "path"),
    [
        (("CMD", "curl", "-f", "x"), "/usr/bin/curl"),
        (("CMD", "/usr/bin/curl"), "/usr/bin/curl"),
        (("curl x",), "/usr/bin/curl"),
    ],
)
def test_every_form_of_a_check_is_read(check: tuple[str, ...], path: str) -> None:
    found = scanned(CURL, overrides=ProcessOverrides(health_check=check)).health_check
    assert found is not None
    assert (found.verdict, found.path) == (BinaryVerdict.X86_64, path)


@pytest.mark.parametrize("run", ["/etc/s6-overlay/s6-rc.d/web/run", "/etc/services.d/web/run", "/etc/service/web/run"])
def test_c06_the_services_of_a_supervisor_are_followed(run: str) -> None:
    files: dict[str, Content] = {"/init": "#!/bin/sh\n", **SHELL, **X86_SERVER}
    files[run] = "#!/command/with-contenv sh\nexec /opt/server\n"
    files["/command/with-contenv"] = ARM64
    found = scanned(files, entrypoint=("/init",))
    assert started(found) == (BinaryVerdict.X86_64, "/opt/server")
    assert found.start.chain[:2] == ("/init", run)


def test_what_a_supervisor_reads_from_its_own_files_is_unknown_where_x86_programs_lie_about() -> None:
    files: dict[str, Content] = {"/usr/bin/supervisord": "#!/usr/bin/python3\n", "/usr/bin/python3": ARM64}
    assert scanned(files, entrypoint=("supervisord", "-n")).start.verdict is BinaryVerdict.ARM64
    found = scanned({**files, **X86_SERVER}, entrypoint=("supervisord", "-n"))
    assert found.start.verdict is BinaryVerdict.UNDECIDED
    assert "/opt/server" in found.start.reason


def test_the_images_own_check_counts_only_where_the_definition_has_none() -> None:
    own = scanned(CURL, health_check=("CMD", "curl"))
    assert own.checks_itself
    assert own.health_check is not None
    assert own.health_check.path == "/usr/bin/curl"
    overridden = ProcessOverrides(health_check=("CMD", "/app"))
    assert scanned(CURL, health_check=("CMD", "curl"), overrides=overridden).health_check is not None
    assert not scanned(CURL, health_check=("CMD", "curl"), overrides=overridden).checks_itself
    for none in ((), ("NONE",), ("CMD",)):
        assert scanned(CURL, health_check=none).health_check is None


def test_the_images_shell_is_the_one_that_a_check_goes_through() -> None:
    files = {**CURL, "/bin/bash": X86}
    said: dict[str, Any] = {"shell": ("/bin/bash", "-o", "pipefail", "-c"), "health_check": ("CMD-SHELL", "true")}
    found = scanned(files, **said)
    assert found.health_check is not None
    assert found.health_check.path == "/bin/bash"


def test_only_paths_of_the_environment_are_carried_about() -> None:
    values = {"JAVA_HOME": "/usr/lib/jvm", "TOKEN": "abc/def==", "KEY": "/not a path", "URL": "https://x"}
    assert path_variables(values) == (("JAVA_HOME", "/usr/lib/jvm"),)


def test_a_variable_of_the_definition_wins_over_the_images() -> None:
    files = {"/app": "#!/bin/sh\nexec $HOME_OF_APP/server\n", **SHELL, "/a/server": ARM64, **X86_SERVER}
    own = ProcessOverrides(variables=(("HOME_OF_APP", "/opt"),))
    assert scanned(files, environment=(("HOME_OF_APP", "/a"),)).start.path == "/a/server"
    assert scanned(files, environment=(("HOME_OF_APP", "/a"),), overrides=own).start.path == "/opt/server"


@pytest.mark.timeout(120)
def test_reading_hostile_text_comes_to_an_end() -> None:
    for text in (
        '"' * 70_000,
        "'\"" * 35_000,
        "${" * 35_000,
        "$(" * 35_000,
        "a=${" * 16_000,
        "<" * 70_000,
        "x;" * 9_000,
    ):
        read_shell(text, {})
        scanned({"/app": f"#!/bin/sh\n{text}", **SHELL})


@pytest.mark.timeout(120)
def test_values_that_double_and_commands_without_end_stay_small() -> None:
    reading = read_shell("A=aa\n" + "A=$A$A\n" * 9_000 + "exec $A\n", {})
    assert reading.is_open
    assert launched("env", ("-S",) * 5_000) == ()
    assert launched("env", ("-S", "-S " * 5_000 + "/app")) is not None
    many = tuple(f"word{number}" for number in range(50_000))
    path = (("PATH", ":".join(f"/d{number}" for number in range(50_000))), ("LD_LIBRARY_PATH", ":x" * 50_000))
    scanned({"/app": arm64("a.so", loader=GLIBC), **SHELL}, command=many, environment=path, entrypoint=("sh", "/app"))
    scanned({"/app": '#!/bin/sh\nexec "$@"\n', **SHELL}, command=many, environment=path)


AGENT = ("/var/lib/agent/start.sh", "fargate", "entrypoint", "/app", "--serve")


@pytest.mark.parametrize("mounts", [("/var/lib/agent",), ("/",), ("/var/lib/agent/",)])
def test_c06_an_agent_on_a_volume_is_told_and_what_it_starts_is_judged(mounts: tuple[str, ...]) -> None:
    given = ProcessOverrides(entry_point=AGENT, mounts=mounts)
    good = scanned({"/app": ARM64}, overrides=given)
    assert started(good) == (BinaryVerdict.ARM64, "/app")
    assert good.on_volumes == ("/var/lib/agent/start.sh",)
    assert started(scanned({"/app": X86}, overrides=given)) == (BinaryVerdict.X86_64, "/app")
    alone = scanned({"/other": ARM64}, overrides=given)
    assert alone.start.verdict is BinaryVerdict.UNDECIDED
    assert "may lie on a volume" in alone.start.reason


def test_a_missing_program_beside_a_volume_is_missing() -> None:
    found = scanned({"/app": ARM64}, overrides=ProcessOverrides(entry_point=AGENT, mounts=("/var/lib/agents",)))
    assert found.start.verdict is BinaryVerdict.UNDECIDED
    assert "is not a file of the image." in found.start.reason
    assert found.on_volumes == ()


def test_what_is_no_launcher_starts_nothing_but_what_follows_two_dashes() -> None:
    assert launched("node", ("server.js",)) is None
    assert launched("chamber", ("exec", "svc", "--", "/app", "-x")) == ("/app", "-x")
    found = scanned({"/app": ARM64}, command=("--", "--verbose"))
    assert found.start.verdict is BinaryVerdict.ARM64


def test_a_loader_is_no_library_of_its_program() -> None:
    found = scanned({"/app": arm64("ld-linux-aarch64.so.1", loader=GLIBC), GLIBC: ARM64})
    assert found.libraries == ()
