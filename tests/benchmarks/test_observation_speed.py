"""From a score table to needs at four sizes, on a quiet machine: `make bench`. Not part of the pass/fail suite."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from recommender.catalogue.instrument import Instrument
from recommender.training.simulate.design import Design
from recommender.training.simulate.ratings import simulate_scores

ITEMS, VISITS = 10, 2
TEACHERS = (6_250, 12_500, 25_000, 50_000)
SECONDS, KIBIBYTES = 60, 2 * 1024**2
# Four sizes that double: what is linear takes eight times as long for the last as for the first.
MOST_GROWTH = 8 * 1.25
RUBRIC = {
    "id": "bench-10",
    "title": "Ten items",
    "scale": {"min": 1, "max": 4},
    "items": [
        {"code": f"i{number}", "label": f"Item {number}", "family": family}
        for number, family in enumerate(
            ("routines", "behaviour", "climate", "expectations", "clarity",
             "questioning", "discussion", "cognitive-demand", "checking", "feedback")
        )
    ],
}  # fmt: skip
CHILD = """
import json, resource, sys, time
from pathlib import Path
from recommender.catalogue.instruments import load_instruments
from recommender.exchange.need_files import write_needs
from recommender.exchange.observation_files import read_observations
from recommender.observations.need_tables import item_need_table
from recommender.observations.needs import estimate_needs

instruments = load_instruments([Path(sys.argv[2])])
started = time.perf_counter()
file = read_observations(Path(sys.argv[1]), instruments)
read = time.perf_counter()
estimate = estimate_needs(file.scores, instruments)
estimated = time.perf_counter()
write_needs(item_need_table(estimate), Path(sys.argv[1]).with_suffix(".needs.parquet"))
done = time.perf_counter()
teachers = sum(len(group.teacher) for group in estimate.groups)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seconds = {"read": read - started, "estimate": estimated - read, "chances and file": done - estimated}
print(json.dumps({"rows": file.rows, "teachers": teachers, "KiB": peak, **seconds}))
"""


def measure(teachers: int, folder: Path) -> dict[str, float]:
    """Seconds and peak memory of a fresh process for a file of this many teachers, read and estimated."""
    rubric, file = folder / "rubric.yaml", folder / f"{teachers}.parquet"
    rubric.write_text(yaml.safe_dump(RUBRIC))
    design = Design(teachers=teachers, visits=VISITS, raters="different", teachers_per_rater=30, instrument="bench-10")
    instruments = {"bench-10": Instrument.model_validate(RUBRIC)}
    simulate_scores(design, 1, instruments=instruments).scores.to_parquet(file, index=False)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(file), str(rubric)], check=True, capture_output=True, text=True
    )
    figures = json.loads(done.stdout)
    print(f"\n{figures}")
    assert figures["rows"] == teachers * VISITS * ITEMS
    assert figures["teachers"] == teachers
    return figures


def seconds(figures: dict[str, float]) -> float:
    """From the file of scores to the file of needs."""
    return figures["read"] + figures["estimate"] + figures["chances and file"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, float]]:
    folder = tmp_path_factory.mktemp("scores")
    return [measure(teachers, folder) for teachers in TEACHERS]


def test_a_million_scores_become_needs_within_a_minute_and_two_gibibytes(measured: list[dict[str, float]]) -> None:
    largest = measured[-1]
    assert largest["rows"] == 1_000_000
    assert seconds(largest) <= SECONDS
    assert largest["KiB"] <= KIBIBYTES


def test_time_grows_with_the_scores_and_no_faster(measured: list[dict[str, float]]) -> None:
    assert seconds(measured[-1]) / seconds(measured[0]) <= MOST_GROWTH
