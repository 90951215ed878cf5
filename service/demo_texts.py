"""What the made-up people of the demo school are called, say and do: ``demo.yaml``, read and checked."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from recommender.errors import DataFileError
from service.store.tables.cases import DeclineReason, ReviewAction
from service.store.tables.cycles import Phase

DEMO_FILE = Path(__file__).parent / "demo.yaml"
_SAFE_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Name = Annotated[str, StringConstraints(min_length=3, max_length=60)]
Words = Annotated[str, StringConstraints(min_length=3, max_length=600, strip_whitespace=True)]
# A note nobody wrote is part of the picture.
Note = Annotated[str, StringConstraints(max_length=600, strip_whitespace=True)]
AtLeastOne = Field(min_length=1)
Days = Annotated[int, Field(ge=1, le=104)]
Gain = Annotated[int, Field(ge=-2, le=2)]
Ending = Literal["finished", "stopped", "open", "waiting", "alone"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DemoPeople(_Part):
    """Names. As many teachers as the demo school has."""

    coaches: Annotated[list[Name], AtLeastOne]
    administrator: Name
    safeguarding_lead: Name
    teachers: Annotated[list[Name], AtLeastOne]


class DemoDecline(_Part):
    """Why a teacher does not want a suggestion; ``why`` may be empty."""

    reason: DeclineReason
    why: Note


class DemoContests(_Part):
    """A contest that waits for an answer, and one that has it."""

    open: Words
    answered: Words
    answer: Words


class DemoGroup(_Part):
    """Teachers who do the same; what it means is said in the file. Ranges hold both ends."""

    teachers: Annotated[int, Field(ge=1)]
    ending: Ending
    days: tuple[Days, Days]
    gain: tuple[Gain, Gain] = (0, 0)
    next_days: tuple[Days, Days] | None = None
    next_ending: Ending = "waiting"
    too_short: bool = False
    is_reviewed: bool = False
    declines: bool = False
    contest: Literal["open", "answered"] | None = None
    alert: bool = False


class DemoTexts(_Part):
    """All of it. Lists are gone through in turn, so their lengths are free."""

    tenant: Name
    safeguarding_contact: Name
    people: DemoPeople
    too_short: Annotated[list[Words], AtLeastOne]
    later_moments: Annotated[list[Words], AtLeastOne]
    safeguarding: Words
    reviews: dict[ReviewAction, Annotated[list[Words], AtLeastOne]]
    declines: Annotated[list[DemoDecline], AtLeastOne]
    check_ins: Annotated[list[Note], AtLeastOne]
    looks: dict[Phase, Annotated[list[Words], AtLeastOne]]
    contests: DemoContests
    app: Name
    focus_domains: list[str]
    groups: Annotated[list[DemoGroup], AtLeastOne]

    @model_validator(mode="after")
    def _every_teacher_does_something(self) -> Self:
        if sum(group.teachers for group in self.groups) != len(self.people.teachers):
            raise ValueError("as many teachers in the groups as there are names")
        return self


@lru_cache(maxsize=1)
def demo_texts() -> DemoTexts:
    """The texts of the demo. Raises DataFileError when the file breaks a rule."""
    try:
        return DemoTexts.model_validate(yaml.load(DEMO_FILE.read_text(encoding="utf-8"), Loader=_SAFE_LOADER))
    except (yaml.YAMLError, ValidationError) as error:
        raise DataFileError(
            f"a file that cannot be used ({type(error).__name__})", wanted="the demo's texts", where=DEMO_FILE.name
        ) from None
