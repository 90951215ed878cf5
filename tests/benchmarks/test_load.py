"""Two hundred teachers at once for two minutes, on a quiet machine: `make bench`. Not part of the pass/fail suite."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from load_client import ANSWER_SECONDS, EMPTY_ROUTE, EVERY_SECONDS, MIX, STRUGGLES, Plan, Teacher

from recommender.cases import Case
from recommender.ranking.recommender import Recommender
from service.access.cookies import LOCAL_NAME
from service.access.form_tokens import form_token
from service.settings import Settings
from service.store.actors import operator, person_actor
from service.store.cases import store_case
from service.store.choices import record_choice
from service.store.cycles import start_cycle
from service.store.database import StoreSession, open_database, utc_now
from service.store.keys import create_key
from service.store.people import create_person, create_tenant
from service.store.schema_version import upgrade
from service.store.sign_in import begin_session

PORT, SEED = 8_766, 11
TEACHERS = int(os.environ.get("BENCH_TEACHERS", "200"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "120"))
# What a page may take more than an empty route under the same load, at the median and for one in a hundred.
MOST_RATIO = {"p50": 20.0, "p99": 20.0}
# These take a core for a while, whoever waits; their times are told.
RANKED = ("draft", "new moment", "decline", "score")
# What the service may hold at the end, of what it held when it had answered everything once.
MOST_MEMORY = 1.25
TICKS = os.sysconf("SC_CLK_TCK")


def seeded(folder: Path) -> tuple[str, list[Teacher]]:
    """A database with a school in which everybody is signed in; the key of its app, and its teachers."""
    database = open_database(Settings(data=folder))
    upgrade(database)
    ranking = Recommender.load().rank(Case(case_id="c", struggle=STRUGGLES[0]))
    with database.write() as session:
        tenant_id = create_tenant(session, "North School")
        root = operator(session, tenant_id)
        key = create_key(session, root, "planner", ["score", "write"]).secret
        teachers = [_at_work(session, tenant_id, number, ranking) for number in range(TEACHERS)]
    database.close()
    return key, teachers


def _at_work(session: StoreSession, tenant_id: str, number: int, ranking: Any) -> Teacher:
    person_id = create_person(session, operator(session, tenant_id), f"Teacher {number}", ["teacher"])
    teacher = person_actor(session, tenant_id, person_id)
    case = Case(case_id="c", struggle=STRUGGLES[0])
    practised, waiting = (
        store_case(session, teacher, case, ranking.model_copy(update={"ranking_id": None})) for _ in range(2)
    )
    skill = ranking.suggestions[0].skill_id
    choice = record_choice(session, teacher, practised.case_id, practised.ranking_id, skill, "chosen")
    cycle = start_cycle(session, teacher, practised.case_id, choice, utc_now().date())
    secret = begin_session(session, tenant_id, person_id, "link").secret
    return Teacher(f"{LOCAL_NAME}={secret}", form_token(secret), f"/moments/{waiting.case_id}", cycle)


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """`growth serve` over the database of a folder; its process id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "recommender.cli", "serve", "--port", str(PORT)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "GROWTH_DATA": str(folder), "GROWTH_LOG_LEVEL": "error"},
    )  # fmt: skip
    try:
        end = time.monotonic() + 60
        while not _is_ready():
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def _is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def mebibytes(pid: int) -> float:
    """Memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1_024


def cpu_seconds(pid: int) -> float:
    """Time a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def work(plan: Plan, file: Path) -> dict[str, Any]:
    """What the teachers of a plan met."""
    file.write_text(json.dumps(dataclasses.asdict(plan)))
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("load_client.py")), str(file)],
        check=True, capture_output=True, text=True, timeout=plan.seconds + ANSWER_SECONDS + 30,
    )  # fmt: skip
    met: dict[str, Any] = json.loads(done.stdout)
    return met


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("load")
    key, teachers = seeded(folder)
    skills = [skill.id for skill in Recommender.load().catalogue]
    plan = Plan(PORT, SECONDS, SEED, key, utc_now().date().isoformat(), skills, teachers)
    with served(folder) as pid:
        # Templates, norms and the threads' own memory are there after this.
        work(dataclasses.replace(plan, seconds=10.0, seed=SEED + 1), folder / "plan.json")
        memory, cpu, started = mebibytes(pid), cpu_seconds(pid), time.monotonic()
        met = work(plan, folder / "plan.json")
        seconds = time.monotonic() - started
        return met | {
            "memory": (memory, mebibytes(pid)),
            "shares": {"service": (cpu_seconds(pid) - cpu) / seconds, "client": met["cpu"] / seconds},
        }  # fmt: skip


def percentiles(milliseconds: list[float]) -> dict[str, float]:
    """The median and what one in a hundred is above."""
    return {f"p{part}": float(np.percentile(milliseconds, part)) for part in (50, 99)}


def test_two_hundred_teachers_meet_no_error_and_the_answers_come(figures: dict[str, Any]) -> None:
    found = {kind: percentiles(times) for kind, times in figures["milliseconds"].items()}
    empty = found[EMPTY_ROUTE]
    print(f"\n{TEACHERS} teachers, {SECONDS:.0f} s, cores: {figures['shares']}")
    for kind, times in figures["milliseconds"].items():
        p50, p99 = found[kind]["p50"], found[kind]["p99"]
        print(f"{kind:15} {len(times):5} p50 {p50:7.1f} ms, p99 {p99:7.1f} ms, ratios to the empty route "
              f"{p50 / empty['p50']:5.1f} {p99 / empty['p99']:5.1f}")  # fmt: skip
    assert Counter(figures["errors"]) == {}
    actions = sum(len(times) for kind, times in figures["milliseconds"].items() if kind in MIX)
    assert actions >= 0.9 * TEACHERS * SECONDS / EVERY_SECONDS
    for which, most in MOST_RATIO.items():
        ratios = {kind: by[which] / empty[which] for kind, by in found.items() if kind not in RANKED}
        assert {kind: ratio for kind, ratio in ratios.items() if ratio > most} == {}


def test_memory_does_not_grow_with_the_work(figures: dict[str, Any]) -> None:
    before, after = figures["memory"]
    print(f"\n{before:.0f} MiB before, {after:.0f} MiB after, ratio {after / before:.2f}")
    assert after / before <= MOST_MEMORY
