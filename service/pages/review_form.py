"""A coach's review as a form: one choice a suggestion, up to three added skills, and the changes they mean."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from recommender.catalogue.loader import Catalogue
from service.pages.once import ONCE_FIELD, fresh_once
from service.pages.posted import Posted
from service.store.reviews import SkillChange
from service.store.tables.cases import ReviewAction

KEEP = "keep"
REMOVE = "remove"
ADDED_ROWS = 3
# A line or two, which the teacher is to read.
MAX_WHY_CHARACTERS = 1_000
AGREE_FIELD = "agree"


@dataclass(frozen=True)
class SuggestedRow:
    """What is said about a suggestion: ``change`` is keep, remove or the number of another place, as it was sent."""

    skill_id: str
    place: int
    change: str = KEEP
    why: str = ""

    @property
    def change_field(self) -> str:
        """Name of the field of the change."""
        return f"change-{self.skill_id}"

    @property
    def why_field(self) -> str:
        """Name of the field of the why."""
        return why_field(self.skill_id)

    @property
    def is_kept(self) -> bool:
        """Whether the suggestion stays where it is."""
        return self.change in (KEEP, str(self.place))

    @property
    def is_filled(self) -> bool:
        """Whether something was said about it."""
        return not self.is_kept or bool(self.why.strip())


@dataclass(frozen=True)
class AddedRow:
    """A skill to add; ``place`` empty means behind all that are shown."""

    number: int
    skill_id: str = ""
    place: str = ""
    why: str = ""

    @property
    def skill_field(self) -> str:
        """Name of the field of the skill."""
        return f"add-{self.number}"

    @property
    def place_field(self) -> str:
        """Name of the field of the place."""
        return f"add-place-{self.number}"

    @property
    def why_field(self) -> str:
        """Name of the field of the why."""
        return f"add-why-{self.number}"

    @property
    def is_empty(self) -> bool:
        """Whether nothing was filled in."""
        return not (self.skill_id or self.place or self.why.strip())


@dataclass(frozen=True)
class ReviewForm:
    """A review as it was filled in, for the list on screen.

    ``once`` makes sending it twice one review; ``agrees`` when the button that keeps all was used; ``left_over`` are
    whys, by skill, for suggestions that are no longer on the list.
    """

    ranking_id: str
    once: str
    suggested: tuple[SuggestedRow, ...]
    added: tuple[AddedRow, ...]
    agrees: bool = False
    left_over: tuple[tuple[str, str], ...] = ()

    @classmethod
    def empty(cls, ranking_id: str, shown: Sequence[str]) -> ReviewForm:
        """The form before anything is filled in; ``shown`` are the skills on screen, in their order."""
        suggested = tuple(SuggestedRow(skill_id, place) for place, skill_id in enumerate(shown, start=1))
        return cls(ranking_id, fresh_once(), suggested, tuple(AddedRow(n) for n in range(1, ADDED_ROWS + 1)))

    @classmethod
    def of(cls, posted: Posted, ranking_id: str, shown: Sequence[str], catalogue: Catalogue) -> ReviewForm:
        """What was sent, laid over the list that is shown now."""
        blank = cls.empty(ranking_id, shown)
        suggested = tuple(
            SuggestedRow(row.skill_id, row.place, posted.get(row.change_field), posted.text(row.why_field))
            for row in blank.suggested
        )
        added = tuple(
            AddedRow(
                row.number, posted.get(row.skill_field), posted.get(row.place_field), posted.text(row.why_field)
            )
            for row in blank.added
        )  # fmt: skip
        left_over = tuple(
            (skill_id, why)
            for skill_id in catalogue.ids
            if skill_id not in shown and (why := posted.text(why_field(skill_id)).strip())
        )
        once = posted.get(ONCE_FIELD) or blank.once
        return cls(ranking_id, once, suggested, added, bool(posted.get(AGREE_FIELD)), left_over)

    @property
    def has_additions(self) -> bool:
        """Whether something is filled in for a skill to add."""
        return not all(row.is_empty for row in self.added)


@dataclass(frozen=True)
class ReadReview:
    """The changes a form means, or what is wrong with it: a key of the coach's ``errors`` by the name of the field."""

    changes: list[SkillChange]
    errors: dict[str, str]


def why_field(skill_id: str) -> str:
    """Name of the field of a suggestion's why."""
    return f"why-{skill_id}"


def read_review(form: ReviewForm, listed: Collection[str], catalogue: Catalogue) -> ReadReview:
    """The changes a form means. ``listed`` are all skills of the ranking, also those that are not on screen.

    Adding a skill that is further down the ranking is recorded as moving it. No two skills get the same place.
    """
    errors: dict[str, str] = {}
    places: dict[int, str] = {}
    changes = [_suggested(row, len(form.suggested), places, errors) for row in form.suggested]
    changes += _added(form, listed, catalogue, places, errors)
    is_changed = form.has_additions or not all(row.is_kept for row in form.suggested)
    if form.agrees and is_changed:
        errors[AGREE_FIELD] = "agree_or_change"
    elif not changes and not errors:
        errors[form.added[0].skill_field] = "nothing"
    return ReadReview([] if errors else changes, errors)


def _suggested(row: SuggestedRow, length: int, places: dict[int, str], errors: dict[str, str]) -> SkillChange:
    _check_why(row.why_field, row.why, errors, is_needed=not row.is_kept)
    why = row.why.strip()
    if row.is_kept:
        return SkillChange(row.skill_id, "keep", why=why)
    if row.change == REMOVE:
        return SkillChange(row.skill_id, "remove", why=why)
    place = _place(row.change, length)
    _take(place, row.change_field, places, errors)
    return SkillChange(row.skill_id, "move", place, why)


def _added(
    form: ReviewForm, listed: Collection[str], catalogue: Catalogue, places: dict[int, str], errors: dict[str, str]
) -> list[SkillChange]:
    shown = {row.skill_id for row in form.suggested}
    changes: list[SkillChange] = []
    behind = len(form.suggested)
    for row in form.added:
        if row.is_empty:
            continue
        if row.skill_id not in catalogue:
            errors[row.skill_field] = "skill"
        elif row.skill_id in shown:
            errors[row.skill_field] = "listed"
        elif row.skill_id in {change.skill_id for change in changes}:
            errors[row.skill_field] = "twice"
        if row.place:
            place = _place(row.place, len(form.suggested))
        else:
            place = behind = behind + 1
        _take(place, row.place_field, places, errors)
        _check_why(row.why_field, row.why, errors, is_needed=True)
        action: ReviewAction = "move" if row.skill_id in listed else "add"
        changes.append(SkillChange(row.skill_id, action, place, row.why.strip()))
    return changes


def _place(sent: str, length: int) -> int | None:
    return next((place for place in range(1, length + 1) if sent == str(place)), None)


def _take(place: int | None, field: str, places: dict[int, str], errors: dict[str, str]) -> None:
    if place is None:
        errors[field] = "place"
    elif places.setdefault(place, field) != field:
        errors[field] = "same_place"


def _check_why(field: str, why: str, errors: dict[str, str], *, is_needed: bool) -> None:
    if is_needed and not why.strip():
        errors[field] = "why"
    elif len(why.strip()) > MAX_WHY_CHARACTERS:
        errors[field] = "too_long"
