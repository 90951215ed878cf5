"""What `growth doctor` looks at: versions, threads, model, settings, and one real ranking."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from recommender.cases import Case
from recommender.ranking.batch import available_cores
from recommender.ranking.recommender import Recommender

_LIBRARIES = ("growth-recommender", "numpy", "pandas", "scikit-learn", "joblib", "onnxruntime", "pydantic", "fastapi")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_SAMPLE = "The same three students answer every question I ask and the rest wait for them to do it."


def examine(models: Path, model_version: str | None = None) -> dict[str, dict[str, Any]]:
    """Findings by title. Raises ModelVersionError when the model cannot be loaded."""
    started = time.perf_counter()
    recommender = Recommender.load(models, model_version)
    loaded = time.perf_counter()
    ranking = recommender.rank(Case(case_id="doctor", struggle=_SAMPLE))
    finished = time.perf_counter()
    return {
        "Versions": {"python": platform.python_version(), **{name: _installed(name) for name in _LIBRARIES}},
        "Threads": {
            "cores available": available_cores(),
            **{name: os.environ.get(name, "not set") for name in _THREAD_VARIABLES},
        },
        "Model": {
            "models folder": str(models),
            "version": recommender.model_version,
            "catalogue": f"{recommender.catalogue.version} ({len(recommender.catalogue)} skills)",
            "encoder": recommender.manifest.encoder.folder,
            "files verified": len(recommender.manifest.files) + len(recommender.manifest.encoder.files),
            "load, seconds": round(loaded - started, 2),
            "sample ranking": f"{ranking.status}: {ranking.suggestions[0].skill_id if ranking.suggestions else '-'}",
            "sample ranking, milliseconds": round(1_000 * (finished - loaded), 1),
        },
        "Settings": _settings(),
    }


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _settings() -> dict[str, Any]:
    # Lazily, as for `serve`: the engine itself never needs the service.
    from service.settings import ENV_PREFIX, read_settings

    values: dict[str, Any] = read_settings().model_dump(mode="json")
    values["api_keys"] = f"{len(values['api_keys'])} set"
    return {f"{ENV_PREFIX}{name.upper()}": value for name, value in values.items()}
