"""The construct domain of an item, within which true scores are more alike."""

from __future__ import annotations

from collections.abc import Mapping

from recommender.catalogue.families import load_families
from recommender.catalogue.instrument import Instrument


def domains_of(items: tuple[tuple[str, str], ...], instruments: Mapping[str, Instrument]) -> tuple[str, ...]:
    """Domain of each (instrument, item): that of its construct family; a family of the file's own is its own domain."""
    families = load_families()
    domains = []
    for name, code in items:
        family = instruments[name].by_code[code].family
        known = families.get(family or "")
        domains.append(known.domain if known is not None else f"{name}: {family or code}")
    return tuple(domains)
