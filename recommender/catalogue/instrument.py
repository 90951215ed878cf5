"""An observation instrument: its scored items, their scales and level labels, and how a raw score is read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from recommender.catalogue.raw_scores import fold_label, plain_number, shown
from recommender.catalogue.skill import SkillId
from recommender.errors import ScoreError

ItemLevel = Literal["domain", "component", "indicator", "behaviour", "scan", "count"]
ScoreUnit = Literal["lesson", "segment", "cycle", "year"]
InstrumentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
ItemCode = Annotated[str, StringConstraints(pattern=r"^\S(.*\S)?$", max_length=60)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(gt=0, le=1)]

# Published shares are rounded to two or three decimals, so their sum may miss 1 by this much.
SHARES_TOLERANCE = 0.02
_WEIGHT_TOLERANCE = 1e-6


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Scale(_Strict):
    """The numbers an item is scored with: ``min`` to ``max``, and the labels that stand for some of them.

    A scale given by ``labels`` alone runs from the lowest to the highest label. ``step`` is the distance of two levels
    as an observer gives them; scores between steps are allowed, because segments are averaged.
    """

    # Labels come first, so that a label without a number is named before the ends that would have come from it.
    labels: dict[Label, Finite] = {}
    min: Finite
    max: Finite
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1

    @model_validator(mode="before")
    @classmethod
    def _ends_from_labels(cls, data: Any) -> Any:
        labels = data.get("labels") if isinstance(data, dict) else None
        if not isinstance(labels, dict):
            return data
        numbers = [value for value in labels.values() if isinstance(value, (int, float))]
        if not numbers:
            return data
        return {"min": min(numbers), "max": max(numbers), **data}

    @model_validator(mode="after")
    def _labels_fit(self) -> Self:
        if self.min >= self.max:
            raise ValueError("a scale's min must be below its max")
        seen: dict[str, float] = {}
        for label, value in self.labels.items():
            if not self.min <= value <= self.max:
                raise ValueError(f"the label {label!r} stands for {value:g}, outside {self.min:g} to {self.max:g}")
            if seen.setdefault(fold_label(label), value) != value:
                raise ValueError(f"the label {label!r} stands for two values")
        return self

    @cached_property
    def by_label(self) -> Mapping[str, float]:
        """Folded label -> value."""
        return {fold_label(label): value for label, value in self.labels.items()}


class Norm(_Strict):
    """How an item is usually scored, at the instrument's own unit: shares of the values, or a mean and an SD.

    ``source`` names a DOI, a URL or "measured ..." with the number of scores. For an item with ``per`` the norm is of
    the rate (count / denominator).
    """

    shares: dict[Finite, Share] | None = None
    mean: Finite | None = None
    sd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    source: Annotated[str, StringConstraints(min_length=4, max_length=300)]

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        moments = (self.mean, self.sd)
        if (self.shares is None) == (moments == (None, None)):
            raise ValueError("a norm has either shares, or mean and sd")
        if self.shares is None and None in moments:
            raise ValueError("a norm without shares has both mean and sd")
        if self.shares is not None and abs(sum(self.shares.values()) - 1) > SHARES_TOLERANCE:
            raise ValueError(f"shares sum to {sum(self.shares.values()):g}, not to 1")
        return self


class Licence(_Strict):
    """The terms of the rubric's own text; ``text_may_ship`` says whether its wording may be handed on."""

    name: Annotated[str, StringConstraints(min_length=2, max_length=200)]
    text_may_ship: bool


class Item(_Strict):
    """One scored line of an instrument.

    ``family`` is the construct family (families.yaml, or a name of the file's own). ``direction`` -1: a high score is
    bad. ``derived`` scores (overall, domain means) are dropped before estimation. ``observable`` is False for what no
    lesson shows (planning, professional duties, denominators). ``per`` names the item a count is divided by.
    ``usually_missing`` is the share of observations that leave the item out, 0 to 1.
    """

    code: ItemCode
    label: Label
    family: ItemCode | None = None
    direction: Literal[1, -1] = 1
    level: ItemLevel = "component"
    derived: bool = False
    observable: bool = True
    scale: Scale | None = None
    per: ItemCode | None = None
    norm: Norm | None = None
    usually_missing: Share = 0

    @model_validator(mode="after")
    def _per_is_for_counts(self) -> Self:
        if self.per is not None and self.level != "count":
            raise ValueError("only an item of level count has a denominator")
        return self


class Instrument(_Strict):
    """An observation rubric or tool; a user's own needs ``id``, ``title``, ``scale`` and ``items`` only.

    ``crosswalk``: item -> skill -> weight, at most 1 an item. ``missing``: labels that mean "not scored". ``unit``:
    what one score speaks about. ``unmapped``: why an item has no skills. ``licence`` None: unknown.
    """

    id: InstrumentId
    title: Label
    version: Annotated[str, StringConstraints(max_length=60)] = ""
    scale: Scale | None = None
    unit: ScoreUnit = "lesson"
    missing: list[str] = []
    items: Annotated[list[Item], Field(min_length=1)]
    crosswalk: dict[ItemCode, dict[SkillId, Weight]] = {}
    unmapped: dict[ItemCode, Annotated[str, StringConstraints(min_length=4, max_length=300)]] = {}
    licence: Licence | None = None
    source: str = ""
    provenance: str = ""

    @model_validator(mode="before")
    @classmethod
    def _labels_into_the_scale(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "labels" not in data:
            return data
        rest = {key: value for key, value in data.items() if key != "labels"}
        scale = rest.get("scale", {})
        if not isinstance(scale, dict) or "labels" in scale:
            raise ValueError("labels stand once: beside scale or in it")
        return {**rest, "scale": {**scale, "labels": data["labels"]}}

    @model_validator(mode="after")
    def _items_fit(self) -> Self:
        seen: set[str] = set()
        for item in self.items:
            if item.code in seen:
                raise ValueError(f"items: {item.code!r} is there twice")
            seen.add(item.code)
            if item.scale is None and self.scale is None:
                raise ValueError(f"items: {item.code!r} has no scale, and the instrument has none either")
        for item in self.items:
            if item.per is not None and (item.per not in seen or item.per == item.code):
                raise ValueError(f"items: {item.code!r} is counted per {item.per!r}, which is no other item")
            self._norm_fits(item)
        return self

    def _norm_fits(self, item: Item) -> None:
        if item.norm is None:
            return
        scale = self.scale_of(item.code)
        values = [item.norm.mean] if item.norm.mean is not None else list(item.norm.shares or {})
        if not all(scale.min <= value <= scale.max for value in values):
            raise ValueError(f"items: the norm of {item.code!r} leaves its scale {scale.min:g} to {scale.max:g}")

    @model_validator(mode="after")
    def _crosswalk_fits(self) -> Self:
        for field, codes in (("crosswalk", self.crosswalk), ("unmapped", self.unmapped)):
            for code in codes:
                if code not in self.by_code:
                    raise ValueError(f"{field}: {code!r} is no item of the instrument")
        for code, weights in self.crosswalk.items():
            if sum(weights.values()) > 1 + _WEIGHT_TOLERANCE:
                raise ValueError(f"crosswalk: the weights of {code!r} sum to {sum(weights.values()):g}, more than 1")
            if code in self.unmapped:
                raise ValueError(f"unmapped: {code!r} has skills in the crosswalk")
        return self

    @cached_property
    def by_code(self) -> Mapping[str, Item]:
        """Item code -> item, in the instrument's order."""
        return {item.code: item for item in self.items}

    @cached_property
    def _missing_labels(self) -> frozenset[str]:
        return frozenset(map(fold_label, self.missing))

    def scale_of(self, code: str) -> Scale:
        """The item's own scale, or else the instrument's. Raises ScoreError for an unknown item."""
        scale = self._item(code).scale or self.scale
        assert scale is not None  # _items_fit saw to it
        return scale

    def labels_of(self, code: str) -> tuple[str, ...]:
        """The level labels of an item and the labels that mean "not scored". Raises ScoreError for an unknown item."""
        return (*self.scale_of(code).labels, *self.missing)

    def score(self, code: str, raw: float | int | str | None) -> float | None:
        """A raw score as a number on the item's scale, undirected; None for blank or a label that means "not scored".

        A text is a level label (without regard to case and spacing) or else a number written with a point.
        Raises ScoreError for an unknown item or label, a number outside the scale, and what is not finite.
        """
        scale = self.scale_of(code)
        label = fold_label(raw) if isinstance(raw, str) else None
        if raw is None or label == "" or label in self._missing_labels:
            return None
        if label is not None and label in scale.by_label:
            return scale.by_label[label]
        value = plain_number(raw)
        # Not a number compares false with everything, so it is refused too.
        if value is None or not scale.min <= value <= scale.max:
            labels = f", or {', '.join(scale.labels)}" if scale.labels else ""
            wanted = f"{scale.min:g} to {scale.max:g}{labels}"
            raise ScoreError(shown(raw), wanted=wanted, where=f"{self.id} {code}")
        return value

    def _item(self, code: str) -> Item:
        item = self.by_code.get(code)
        if item is None:
            raise ScoreError(shown(code), wanted=f"an item of {self.id}", where="item")
        return item
