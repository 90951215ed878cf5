"""Docker is not needed: what Dockerfile and compose.yaml say is read, and their commands are run on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import URL

from service.run import SHUTDOWN_SECONDS
from service.settings import SECRETS_VARIABLE, settings_table
from service.store.actors import operator
from service.store.database import Database, engine_for
from service.store.people import create_person, create_tenant
from service.store.schema_version import newest_version
from service.store.sign_in_links import issue_link
from service.store.text_keys import new_text_key

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "store"))
from postgres_server import Postgres, running_postgres  # noqa: E402

KEY = "a key of ones own"
COOKIE = "__Host-growth_session"
PUBLIC_URL = "https://growth.school.example"
KNOWN_VARIABLES = {variable for variable, _, _ in settings_table()} | {SECRETS_VARIABLE}
STRUGGLE = "The same three students answer every question I ask and the rest wait for them to do it."


def read_dockerfile() -> list[tuple[str, str]]:
    """(instruction, rest) of every line, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


DOCKERFILE = read_dockerfile()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


def given(instruction: str) -> list[str]:
    return [rest for name, rest in DOCKERFILE if name == instruction]


def image_variables() -> dict[str, str]:
    return dict(pair.split("=", 1) for rest in given("ENV") for pair in shlex.split(rest))


def substituted(value: str, given_values: dict[str, str]) -> str:
    """${NAME:?message} and ${NAME:-default} as Compose reads them."""

    def one(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if name in given_values:
            return given_values[name]
        if kind == ":?":
            raise KeyError(name)
        return str(rest)

    return re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", one, value)


def test_every_file_the_image_is_built_of_is_there():
    copied = [shlex.split(rest)[:-1] for rest in given("COPY") if "--from" not in rest]
    assert copied
    for source in (source for sources in copied for source in sources):
        assert (ROOT / source).exists(), source
    assert not given("ADD")


def test_the_image_installs_with_the_very_command_and_lock_of_make_serve():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = [line.strip() for line in makefile.splitlines() if line.startswith("\t$(BIN)/pip install")]
    of_serve = [line.removeprefix("$(BIN)/").replace("-e .", ".") for line in wanted[:2]]
    ran = [rest.removeprefix("/opt/growth/bin/") for rest in given("RUN") if "pip" in rest]
    assert ran == of_serve
    assert "--require-hashes -r requirements.lock" in ran[0]


@pytest.mark.parametrize("package", ["psycopg", "psycopg-binary", "authlib", "uvicorn", "limits"])
def test_the_lock_of_the_image_holds_what_it_needs_and_nothing_of_the_tests(package):
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = {line.split("==")[0] for line in lock.splitlines() if "==" in line}
    assert package in locked
    assert not locked & {"pytest", "hypothesis", "mypy", "ruff", "selenium", "torch"}


def test_the_image_runs_as_nobody_special_with_one_data_folder_and_says_whether_it_lives():
    assert len(set(given("FROM")[0].split()[:1]) | set(given("FROM")[1].split())) == 1
    names = [name for name, _ in DOCKERFILE]
    assert given("USER") == ["growth"]
    assert names.index("USER") < names.index("CMD")
    assert given("VOLUME") == [image_variables()["GROWTH_DATA"]]
    assert json.loads(given("CMD")[0]) == ["growth", "serve"]
    assert "/health/live" in given("HEALTHCHECK")[0]
    assert {name for name in image_variables() if name.startswith("GROWTH_")} <= KNOWN_VARIABLES


def test_compose_knows_every_name_it_uses():
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert set(service.get("networks", ())) <= set(COMPOSE["networks"])
        for mount in service.get("volumes", ()):
            assert mount.split(":")[0] in COMPOSE["volumes"]
        for config in service.get("configs", ()):
            assert config["source"] in COMPOSE["configs"]
        assert {name for name in service.get("environment", {}) if name.startswith("GROWTH_")} <= KNOWN_VARIABLES
    assert {name.upper() for name in COMPOSE["secrets"]} <= KNOWN_VARIABLES


def test_compose_holds_no_secret_and_starts_with_none():
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert {"/secrets/", "/.env"} <= set(ignored)
    for name in ("app", "proxy"):
        for variable in ("GROWTH_PUBLIC_URL", "GROWTH_API_KEYS"):
            value = SERVICES[name]["environment"].get(variable)
            if value is not None:
                with pytest.raises(KeyError):
                    substituted(value, {})
    assert ":" not in SERVICES["app"]["environment"]["GROWTH_DATABASE"].partition("//")[2]


def test_only_the_proxy_is_reached_from_outside_and_only_workers_reach_the_database():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert "back" not in SERVICES["proxy"]["networks"]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    subnet = COMPOSE["networks"]["front"]["ipam"]["config"][0]["subnet"]
    assert SERVICES["app"]["environment"]["GROWTH_TRUSTED_PROXIES"] == subnet
    caddyfile = COMPOSE["configs"]["caddyfile"]["content"]
    assert f"dynamic a app {image_variables()['GROWTH_PORT']}" in caddyfile
    assert "round_robin" in caddyfile
    assert "sticky" not in caddyfile and "cookie" not in caddyfile


def test_workers_start_when_the_tables_are_there_and_are_given_time_to_stop():
    app, migrate = SERVICES["app"], SERVICES["migrate"]
    assert app["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert migrate["depends_on"]["database"]["condition"] == "service_healthy"
    assert app["deploy"]["replicas"] >= 2
    assert int(app["stop_grace_period"].removesuffix("s")) > SHUTDOWN_SECONDS
    assert app["image"] == migrate["image"]
    assert app["read_only"] and app["cap_drop"] == ["ALL"]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as running:
        yield running


@pytest.fixture
def url(postgres) -> Iterator[URL]:
    made = postgres.create()
    yield made
    postgres.drop(made)


@pytest.fixture
def environment(url, tmp_path) -> dict[str, str]:
    """The variables of a worker's container, with this machine's places put in for the container's."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    contents = {"growth_database_password": "9f2c", "growth_text_key": new_text_key()}
    assert set(contents) == set(SERVICES["app"]["secrets"])
    for name, content in contents.items():
        (secrets / name).write_text(content + "\n")
    chosen = {"GROWTH_PUBLIC_URL": PUBLIC_URL, "GROWTH_API_KEYS": hashlib.sha256(KEY.encode()).hexdigest()}
    of_compose = {
        name: substituted(value, chosen) for name, value in SERVICES["app"]["environment"].items()
    }  # fmt: skip
    here = {
        "GROWTH_HOST": "127.0.0.1",
        "GROWTH_DATA": str(tmp_path / "data"),
        "GROWTH_DATABASE": url.render_as_string(hide_password=False),
        SECRETS_VARIABLE: str(secrets),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GROWTH_")}
    return kept | image_variables() | of_compose | here | {"PATH": os.environ["PATH"]}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(words: list[str]) -> list[str]:
    """A command of the container; `growth` is the one of this machine."""
    program, *arguments = words
    assert program == "growth"
    return [sys.executable, "-c", "from recommender.cli import app; app()", *arguments]


def migrate(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    words = command(SERVICES["migrate"]["command"])
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[str]:
    port = str(free_port())
    words = command(json.loads(given("CMD")[0]))
    with subprocess.Popen(
        words, env=environment | {"GROWTH_PORT": port}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield f"http://127.0.0.1:{port}"
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        finally:
            process.kill()


def wait_until_ready(address: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{address}/health/ready")
            if answer.status_code == 200:
                return dict(answer.json())
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("never ready")


def test_a_worker_on_a_database_that_nobody_migrated_refuses_to_start_and_says_the_way_out(environment):
    port = {"GROWTH_PORT": str(free_port())}
    done = subprocess.run(
        command(json.loads(given("CMD")[0])), env=environment | port, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert "growth admin migrate" in done.stderr


def test_the_step_that_migrates_may_run_twice_and_two_at_once(environment, url):
    with ThreadPoolExecutor() as pool:
        at_once = list(pool.map(migrate, [environment] * 2))
    for done in (*at_once, migrate(environment)):
        assert done.returncode == 0, done.stderr
        assert newest_version() in done.stderr


def lives(place: str) -> bool:
    """What the image's health check says of a worker at a host and port of this machine."""
    python, option, code = json.loads(given("HEALTHCHECK")[0].partition("CMD ")[2])
    assert (python, option) == ("python", "-c")
    inside = f"127.0.0.1:{image_variables()['GROWTH_PORT']}"
    assert inside in code
    done = subprocess.run([sys.executable, "-c", code.replace(inside, place)], capture_output=True, timeout=30)
    return done.returncode == 0


def test_two_workers_over_one_database_share_sessions_and_data_and_leave_nothing_on_disk(environment, url, tmp_path):
    assert migrate(environment).returncode == 0
    database = Database(engine_for(url))
    with database.write() as session:
        root = operator(session, create_tenant(session, "North School"))
        link = issue_link(session, root, create_person(session, root, "Tess", ["teacher"]))
    database.close()
    with ExitStack() as workers:
        first, second = (workers.enter_context(worker(environment)) for _ in range(2))
        for address in (first, second):
            assert wait_until_ready(address)["tables_version"] == newest_version()
            assert httpx.post(f"{address}/v1/score", json={"case_id": "c"}).status_code == 401
        assert lives(first.removeprefix("http://"))
        assert not lives(f"127.0.0.1:{free_port()}")
        with_key = {"Authorization": f"Bearer {KEY}"}
        assert httpx.post(f"{second}/v1/score", json={"case_id": "c"}, headers=with_key).status_code == 200

        # A browser sends these; the proxy passes them on.
        origin = {"Origin": PUBLIC_URL, "Host": PUBLIC_URL.removeprefix("https://"), "X-Forwarded-Proto": "https"}
        begun = httpx.post(f"{first}/sign-in/link", data={"token": link.secret}, headers=origin)
        assert begun.status_code == 303
        assert "secure" in begun.headers["set-cookie"].lower()
        secret = re.match(f"{COOKIE}=([^;]+)", begun.headers["set-cookie"]).group(1)
        again = httpx.post(f"{second}/sign-in/link", data={"token": link.secret}, headers=origin)
        assert again.status_code == 403

        me = origin | {"Cookie": f"{COOKIE}={secret}"}
        page = httpx.get(f"{second}/moments", headers=me)
        token = re.search(r'name="form_token" value="([^"]+)"', page.text).group(1)
        sent = httpx.post(f"{second}/moments", data={"form_token": token, "struggle": STRUGGLE}, headers=me)
        assert sent.status_code == 303, sent.text
        shown = httpx.get(first + sent.headers["location"], headers=me)
        assert shown.status_code == 200
        assert "every question I ask" in shown.text

        httpx.post(f"{first}/sign-out", data={"form_token": token}, headers=me)
        assert httpx.get(f"{second}/moments", headers=me).status_code == 303
    assert not (tmp_path / "data").exists()
