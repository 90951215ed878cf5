"""`growth instruments`: lists the shipped rubrics and says what a user's own YAML file was understood to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from recommender.console import out, stop
from recommender.errors import GrowthError

if TYPE_CHECKING:
    from recommender.catalogue.instrument import Instrument, Scale
    from recommender.catalogue.instruments import Crosswalk

instruments_app = typer.Typer(help="Observation rubrics: the shipped ones and your own.", no_args_is_help=True)
# More codes than this are counted, not named.
MOST_NAMED = 12


@instruments_app.command("list")
def list_instruments() -> None:
    """List the shipped instruments: items, items mapped to skills, and whether the rubric's own text may ship."""
    from recommender.catalogue.instruments import load_instruments

    instruments = load_instruments()
    table = Table("instrument", "title", "items", "mapped items", "text may ship", title=f"{len(instruments)} rubrics")
    for instrument in instruments.values():
        licence = instrument.licence
        table.add_row(
            escape(instrument.id),
            escape(instrument.title),
            str(len(instrument.items)),
            str(len(instruments.crosswalk(instrument.id))),
            "unknown" if licence is None else f"{'yes' if licence.text_may_ship else 'no'} ({escape(licence.name)})",
        )
    out.print(table)


@instruments_app.command("check")
def check_instrument(file: Annotated[Path, typer.Argument(help="Your own rubric, a YAML file.")]) -> None:
    """Read a rubric of your own and print what was understood and what is missing. Exit code 2: refused."""
    from recommender.catalogue.instruments import load_instruments, read_instrument

    try:
        instruments = load_instruments([file])
        instrument = instruments[read_instrument(file).id]
    except GrowthError as error:
        stop(error)
    crosswalk = instruments.crosswalk(instrument.id)
    scale = "per item" if instrument.scale is None else _scale_words(instrument.scale)
    say = f"{instrument.id}: {instrument.title}\nScale: {scale}\nNot scored: {', '.join(instrument.missing) or 'blank'}"
    out.print(escape(say), highlight=False)
    out.print(_items_table(instrument, crosswalk))
    for sentence in _what_is_missing(instrument, crosswalk):
        out.print(escape(sentence), highlight=False)


def _scale_words(scale: Scale) -> str:
    labels = ", ".join(f"{label} = {value:g}" for label, value in scale.labels.items())
    return f"{scale.min:g} to {scale.max:g}, steps of {scale.step:g}" + (f" ({labels})" if labels else "")


def _items_table(instrument: Instrument, crosswalk: Crosswalk) -> Table:
    table = Table("item", "label", "family", "level", "scale", "skills", title=f"{len(instrument.items)} items")
    for item in instrument.items:
        scale = instrument.scale_of(item.code)
        high = "" if item.direction == 1 else ", high is bad"
        cells = (item.code, item.label, item.family or "-", item.level, f"{scale.min:g}-{scale.max:g}{high}")
        table.add_row(*map(escape, cells), str(len(crosswalk.get(item.code, {}))))
    return table


def _what_is_missing(instrument: Instrument, crosswalk: Crosswalk) -> Iterator[str]:
    from recommender.catalogue.families import load_families

    used = [item for item in instrument.items if item.observable and not item.derived]
    skills = {skill for weights in crosswalk.values() for skill in weights}
    mapped = sum(item.code in crosswalk for item in used)
    yield f"Crosswalk: {mapped} of {len(used)} observed items say something about {len(skills)} skills."
    unmapped = [item.code for item in used if item.code not in crosswalk and item.code not in instrument.unmapped]
    if unmapped:
        yield f"Without skills, so their needs stay per item: {_named(unmapped)}."
    known = load_families()
    if none := [item.code for item in used if item.family is None]:
        yield f"Without a family, so what is usual over all ratings is borrowed: {_named(none)}."
    if own := sorted({item.family for item in used if item.family is not None and item.family not in known}):
        borrowed = f"Families of your own, so what is usual over all ratings is borrowed: {_named(own)}."
        yield f"{borrowed} Known: {', '.join(known)}."
    if not any(item.norm for item in used):
        yield "No norms: they come from the families until your own scores are enough (`growth norms fit`)."


def _named(names: list[str]) -> str:
    rest = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
