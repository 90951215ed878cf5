"""Many teachers at their browsers, and an app beside them, as one process: `load_client.py PLAN` prints what it met.

PLAN is a JSON file, see ``Plan``. Every teacher has one connection and one thing to do every some seconds; an empty
route is asked all the while for what the service takes without doing anything.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import resource
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

# A teacher looks more than they write. A ranking is in one action of six: new moments, declines and scores; a draft is
# looked at for somebody's safety, which is a ranking too.
MIX = {
    "first page": 24, "moment page": 18, "skill page": 12, "practice page": 10, "draft": 8,
    "new moment": 6, "decline": 5, "check-in": 6, "score": 6, "list of cases": 5,
}  # fmt: skip
EMPTY_ROUTE = "empty route"
EVERY_SECONDS, EMPTY_EVERY_SECONDS = 5.0, 0.25
ANSWER_SECONDS = 30.0
STRUGGLES = (
    "The same three students answer every question I ask and the rest wait for them to do it.",
    "They come in late from lunch and I lose ten minutes until everybody sits and has a book open.",
    "I ask if everyone understood and they nod, and then the exit ticket shows that half of them did not.",
    "When they work in groups one of them does it all and the others talk about something else.",
)
SHOWN_RANKING = re.compile(r'name="ranking" value="(\w+)">\s*<input type="hidden" name="skill" value="([\w-]+)"')


@dataclass(frozen=True)
class Teacher:
    """Who is signed in, with a moment that nothing is chosen for and a practice that is open."""

    cookie: str
    form_token: str
    moment: str
    cycle: str


@dataclass(frozen=True)
class Plan:
    """``key``: of the app. ``seconds`` to go on for; ``seed`` of who does what when."""

    port: int
    seconds: float
    seed: int
    key: str
    today: str
    skills: list[str]
    teachers: list[Teacher]


@dataclass
class Met:
    """Milliseconds by kind of action, and what was not as expected: kind, and the status or the error's name."""

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


class Connection:
    """One connection of HTTP/1.1 that is kept open."""

    def __init__(self, port: int, met: Met, **headers: str) -> None:
        self._port, self._met = port, met
        self._headers = {"Host": f"127.0.0.1:{port}"} | headers
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, kind: str, method: str, path: str, expected: int, body: str = "", **headers: str
    ) -> Answer | None:
        """Send a request and note how long its answer took; None where it was not the expected one."""
        started = time.perf_counter()
        try:
            answer = await asyncio.wait_for(self._sent(method, path, body, headers), ANSWER_SECONDS)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError, KeyError) as error:
            self._streams = None
            self._met.errors.append(f"{kind}: {type(error).__name__}")
            return None
        if answer.status != expected:
            self._met.errors.append(f"{kind}: {answer.status}")
            return None
        self._met.milliseconds.setdefault(kind, []).append((time.perf_counter() - started) * 1_000)
        return answer

    async def _sent(self, method: str, path: str, body: str, headers: dict[str, str]) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        sent = self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n{body}".encode())
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        got = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        content = await reader.readexactly(int(got["content-length"]))
        if got.get("connection") == "close":
            writer.close()
            self._streams = None
        return Answer(int(lines[0].split(" ")[1]), got, content.decode())


class Desk:
    """One teacher at work, and their planning app."""

    def __init__(self, plan: Plan, teacher: Teacher, number: int, met: Met) -> None:
        self._teacher, self._plan = teacher, plan
        self._chance = random.Random(f"{plan.seed}-{number}")
        self._browser = Connection(
            plan.port, met, Cookie=teacher.cookie, Accept="text/html", Origin=f"http://127.0.0.1:{plan.port}"
        )
        self._app = Connection(
            plan.port, met, Authorization=f"Bearer {plan.key}", **{"Content-Type": "application/json"}
        )
        self._moment = teacher.moment
        self._page = ""

    async def work(self, until: float) -> None:
        """One action every five seconds, a little sooner or later, until the time is over."""
        at = time.monotonic() + self._chance.uniform(0, EVERY_SECONDS)
        doing = {name: getattr(self, "_" + re.sub(r"\W", "_", name)) for name in MIX}
        while at < until:
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            [kind] = self._chance.choices(list(MIX), weights=list(MIX.values()))
            action: Callable[[str], Awaitable[None]] = doing[kind]
            await action(kind)
            at += EVERY_SECONDS * self._chance.uniform(0.5, 1.5)

    async def _first_page(self, kind: str) -> None:
        await self._browser.ask(kind, "GET", "/moments", 200)

    async def _moment_page(self, kind: str) -> None:
        shown = await self._browser.ask(kind, "GET", self._moment, 200)
        self._page = shown.body if shown else ""

    async def _skill_page(self, kind: str) -> None:
        await self._browser.ask(kind, "GET", f"/skills/{self._chance.choice(self._plan.skills)}", 200)

    async def _practice_page(self, kind: str) -> None:
        await self._browser.ask(kind, "GET", f"/practice/{self._teacher.cycle}", 200)

    async def _draft(self, kind: str) -> None:
        await self._post(kind, "/draft", 200, struggle=self._words())

    async def _new_moment(self, kind: str) -> None:
        made = await self._post(kind, "/moments", 303, struggle=self._words(), subject="science")
        if made is not None:
            # As a browser does: it goes where it is sent.
            self._moment = made.headers["location"]
            await self._moment_page("moment page")

    async def _decline(self, kind: str) -> None:
        if not self._page:
            await self._moment_page("moment page")
        shown = SHOWN_RANKING.search(self._page)
        if shown is None:
            self._moment, self._page = self._teacher.moment, ""
            await self._moment_page("moment page")
            shown = SHOWN_RANKING.search(self._page)
        if shown is not None:
            said = await self._post(
                kind, f"{self._moment}/choices", 200, ranking=shown[1], skill=shown[2], decision="declined",
                reason="not_now",
            )  # fmt: skip
            self._page = said.body if said else ""

    async def _check_in(self, kind: str) -> None:
        path = f"/practice/{self._teacher.cycle}"
        fields = {"day": self._plan.today, "times": "2", "note": "It went well."}
        if await self._post(kind, f"{path}/check-ins", 303, **fields) is not None:
            await self._browser.ask("practice page", "GET", path, 200)

    async def _score(self, kind: str) -> None:
        case = {"case_id": uuid.uuid4().hex, "struggle": self._words()}
        await self._app.ask(kind, "POST", "/v1/score", 200, json.dumps(case))

    async def _list_of_cases(self, kind: str) -> None:
        await self._app.ask(kind, "GET", "/v1/cases", 200)

    async def _post(self, kind: str, path: str, expected: int, **fields: str) -> Answer | None:
        """A form as the page's script sends it where it stays on the page, as a browser does where it goes on."""
        by_script = {"HX_Request": "true"} if expected == 200 else {}
        body = urlencode({"form_token": self._teacher.form_token, "once": uuid.uuid4().hex} | fields)
        return await self._browser.ask(
            kind, "POST", path, expected, body, Content_Type="application/x-www-form-urlencoded", **by_script
        )

    def _words(self) -> str:
        return f"{self._chance.choice(STRUGGLES)} It is my class {self._chance.randint(1, 8)}."


async def _ask_empty_route(plan: Plan, met: Met, until: float) -> None:
    connection = Connection(plan.port, met)
    while time.monotonic() < until:
        await connection.ask(EMPTY_ROUTE, "GET", "/health/live", 200)
        await asyncio.sleep(EMPTY_EVERY_SECONDS)


async def run(plan: Plan) -> Met:
    """Let everybody work; what they met."""
    met, until = Met(), time.monotonic() + plan.seconds
    desks = [Desk(plan, teacher, number, met) for number, teacher in enumerate(plan.teachers)]
    await asyncio.gather(_ask_empty_route(plan, met, until), *(desk.work(until) for desk in desks))
    return met


def read_plan(file: Path) -> Plan:
    """The plan in a file."""
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return Plan(**document | {"teachers": [Teacher(**teacher) for teacher in document["teachers"]]})


if __name__ == "__main__":
    found = asyncio.run(run(read_plan(Path(sys.argv[1]))))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"milliseconds": found.milliseconds, "errors": found.errors,
                      "cpu": used.ru_utime + used.ru_stime}))  # fmt: skip
