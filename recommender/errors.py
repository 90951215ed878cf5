"""The errors the engine raises: each says what was found, what was wanted and the way out."""

from __future__ import annotations


class GrowthError(Exception):
    """Base of every error this project raises on purpose.

    ``found``, ``wanted`` and ``way_out`` are short plain sentences. None of them may ever hold a struggle's text.
    """

    def __init__(self, found: str, *, wanted: str, way_out: str = "", where: str = "") -> None:
        self.found = found
        self.wanted = wanted
        self.way_out = way_out
        self.where = where
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f" {self.way_out}" if self.way_out else ""
        return f"{place}found {self.found}; wanted {self.wanted}.{hint}"


class DataFileError(GrowthError):
    """A data file of the project or of a user (catalogue, instrument, corpus, cases) breaks its rules."""


class CaseError(GrowthError):
    """One case is refused at the edge; ``where`` names the row and the field."""


class ScoreError(GrowthError):
    """One observation score is refused: an unknown item or label, or a number its scale does not hold."""


class ModelVersionError(GrowthError):
    """A model version is missing, incomplete, altered or not made for this catalogue."""


class SettingsError(GrowthError):
    """A setting or a command-line option cannot be used."""
