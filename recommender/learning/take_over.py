"""A version trained anew takes the place of the one that answers: after its gates, or at once where none can answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recommender.errors import ModelVersionError
from recommender.learning.gate_rules import GateResult
from recommender.learning.gates import trained_gate_report
from recommender.learning.registry import promote, write_pointer
from recommender.ranking.recommender import Recommender
from recommender.ranking.versions import CURRENT_FILE

Say = Callable[[str], None]


def take_over(models: Path, name: str, say: Say = lambda _: None) -> list[GateResult]:
    """Run the gates of a trained version and promote it if it passed them all; what they found.

    Empty, and the version answers at once, where no version answers or the one that should cannot: with another edition
    of the catalogue there is nothing to compare with. Raises ModelVersionError when a file of the new version is not
    as its manifest says.
    """
    try:
        Recommender.load(models)
    except ModelVersionError as error:
        say(f"no version answers that {name} could be compared with: {error}")
        Recommender.load(models, name)
        write_pointer(models / CURRENT_FILE, name)
        return []
    results = trained_gate_report(models, name, say)
    if all(result.passed for result in results):
        promote(models, name)
    return results
