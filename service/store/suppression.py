"""Keeps small groups out of counts, and keeps them from being worked out of the others and the sum."""

from __future__ import annotations

from collections.abc import Mapping

MIN_CELL = 10


def suppress(cells: Mapping[str, int], minimum: int = MIN_CELL) -> dict[str, int | None]:
    """Counts of people by group, None where fewer than ``minimum`` are in one; a group of nobody stays 0.

    One hidden cell is the sum less the others, so a second one is hidden with it, the smallest that is left; the same
    as long as all hidden cells together hold fewer than ``minimum``. Only then may a sum be shown beside them.
    """
    shown: dict[str, int | None] = {group: None if 0 < count < minimum else count for group, count in cells.items()}
    while any(count is None for count in shown.values()):
        hidden = [group for group, count in shown.items() if count is None]
        if len(hidden) > 1 and sum(cells[group] for group in hidden) >= minimum:
            break
        left = sorted((count, group) for group, count in shown.items() if count)
        if not left:
            break
        shown[left[0][1]] = None
    return shown


def suppress_sum(total: int, minimum: int = MIN_CELL) -> int | None:
    """A count of people that stands alone."""
    return None if 0 < total < minimum else total
