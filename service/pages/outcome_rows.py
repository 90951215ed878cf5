"""What practice changed, as rows out of ten look-fors and as a picture of the changes with their ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.interval_plot import Interval, IntervalPlot, interval_plot
from service.pages.strings import page_strings
from service.store.outcomes import OutcomeCell, TenantOutcomes

# Look-fors are told out of ten: easier to read than hundredths, and no percentage of anybody.
OUT_OF = 10
# The picture spans one look-for out of ten at least, so that a tiny change looks tiny.
LEAST_REACH = 1.0


@dataclass(frozen=True)
class OutcomeRow:
    """A group of teachers with its numbers out of ten, as they are printed."""

    label: str
    teachers: int
    before: str
    after: str
    change: str
    low: str
    high: str


def outcome_rows(outcomes: TenantOutcomes, titles: Mapping[str, str]) -> list[OutcomeRow]:
    """The groups that may be shown: all teachers first, then by domain in the catalogue's order."""
    return [
        OutcomeRow(
            label, teachers, out_of_ten(before), out_of_ten(after), signed(change), signed(low), signed(high)
        )
        for label, (teachers, before, after, change, low, high) in _shown(outcomes, titles)
    ]  # fmt: skip


def outcome_plot(outcomes: TenantOutcomes, titles: Mapping[str, str]) -> IntervalPlot | None:
    """The changes out of ten around the line of no change; None when no group may be shown."""
    intervals = [
        Interval(label, low * OUT_OF, change * OUT_OF, high * OUT_OF)
        for label, (_, _, _, change, low, high) in _shown(outcomes, titles)
    ]
    if not intervals:
        return None
    reach = max(LEAST_REACH, *(max(abs(interval.low), abs(interval.high)) for interval in intervals))
    return interval_plot(intervals, -reach, reach, marks=[0.0])


def out_of_ten(share: float) -> str:
    """A share of look-fors in tenths, with one digit."""
    return f"{share * OUT_OF:.1f}"


def signed(difference: float) -> str:
    """A difference of shares in tenths, with its sign; the minus is the one that is read out."""
    text = f"{difference * OUT_OF:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


_Numbers = tuple[int, float, float, float, float, float]


def _shown(outcomes: TenantOutcomes, titles: Mapping[str, str]) -> list[tuple[str, _Numbers]]:
    everybody = page_strings()["admin"]["outcomes"]["all"]
    cells = [(everybody, outcomes.all_teachers)]
    cells += [(titles.get(domain, domain), cell) for domain, cell in outcomes.by_domain.items()]
    return [(label, numbers) for label, cell in cells if (numbers := _numbers(cell)) is not None]


def _numbers(cell: OutcomeCell) -> _Numbers | None:
    # All of them are there, or none is.
    if cell.teachers is None or cell.before is None or cell.after is None:
        return None
    if cell.change is None or cell.low is None or cell.high is None:
        return None
    return cell.teachers, cell.before, cell.after, cell.change, cell.low, cell.high
