"""What is written down about an encoder's training, beside its weights."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

RECORD_FILE = "record.json"


class EncoderRecord(BaseModel):
    """Provenance of one tuned encoder: base, recipe, data and libraries."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    created: date
    base: str
    base_sha256: str
    recipe: dict[str, Any]
    data: dict[str, str]
    """SHA-256 of the files the encoder was tuned on, as they were then"""
    screening_data: dict[str, str] = {}
    """SHA-256 of the files the screening network was trained on, as they were then"""
    libraries: dict[str, str]

    @classmethod
    def load(cls, encoder_folder: Path) -> EncoderRecord:
        """Read ``record.json``."""
        return cls.model_validate_json((encoder_folder / RECORD_FILE).read_bytes())

    def save(self, encoder_folder: Path) -> None:
        """Write ``record.json``."""
        (encoder_folder / RECORD_FILE).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
