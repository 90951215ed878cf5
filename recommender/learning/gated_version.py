"""One side of the gates' comparison: a version with its files, its weights and a recommender that answers with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recommender.ranking.fusion import FusionWeights
from recommender.ranking.recommender import Recommender
from recommender.ranking.versions import Manifest, open_version
from recommender.struggles.screening import Screener
from recommender.training.corpus import screening_rows
from recommender.training.screening_out_of_fold import ScreeningOutOfFold
from recommender.training.screening_report import screening_figures
from recommender.training.thresholds import ScreeningCase


@dataclass(frozen=True)
class GatedVersion:
    """A version of a models folder, opened."""

    manifest: Manifest
    folder: Path
    encoder_folder: Path
    weights: FusionWeights
    recommender: Recommender

    @classmethod
    def of(cls, models: Path, name: str) -> GatedVersion:
        """Open it. Raises ModelVersionError when a file is not as its manifest says."""
        manifest, folder, encoder_folder = open_version(models, name)
        return cls(manifest, folder, encoder_folder, FusionWeights.load(folder), Recommender.load(models, name))

    def screened(self) -> dict[str, float]:
        """Share of texts of each status that screening answers as such, cross-validated."""
        rows = screening_rows()
        known = ScreeningOutOfFold.load(self.encoder_folder).take([row.id for row in rows])
        thresholds = Screener.load(self.folder, self.encoder_folder).thresholds
        recall = screening_figures(ScreeningCase.of(rows, known), rows, thresholds)["recall"]
        return {status: float(share["mean"]) for status, share in recall.items()}

    def has_same_bytes(self, other: Path, name: str) -> bool:
        """Whether a file of this version and of another folder are both there and the same."""
        files = self.folder / name, other / name
        return all(file.is_file() for file in files) and files[0].read_bytes() == files[1].read_bytes()
