"""Embeddings of texts, kept in a scratch folder between retrainings: reading the corpus anew takes minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recommender.training.heads import embed_texts

Floats = npt.NDArray[np.float32]


def text_hash(text: str) -> str:
    """Hex SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class EmbeddingCache:
    """Unit-length embeddings by encoder and SHA-256 of the text; what is cached is what the encoder would say.

    ``scratch`` None keeps nothing on disk. Only texts of the project's own corpus are written there, never a
    teacher's: pass those with ``keep`` False.
    """

    scratch: Path | None = None
    _known: dict[str, dict[str, Floats]] = field(default_factory=dict)

    def embed(self, encoder_folder: Path, texts: Sequence[str], *, keep: bool = True) -> Floats:
        """(texts, dimensions) embeddings, in order; unknown texts are read with the encoder."""
        known = self._opened(encoder_folder)
        hashes = [text_hash(text) for text in texts]
        missing = {key: text for key, text in zip(hashes, texts, strict=True) if key not in known}
        if missing:
            known.update(zip(missing, embed_texts(encoder_folder, list(missing.values())), strict=True))
        rows = np.stack([known[key] for key in hashes]) if hashes else np.zeros((0, 0), np.float32)
        if missing and keep:
            self._save(encoder_folder, known)
        elif missing:
            for key in missing:
                del known[key]
        return rows

    def _opened(self, encoder_folder: Path) -> dict[str, Floats]:
        name = encoder_folder.name
        if name not in self._known:
            self._known[name] = {}
            file = self._file(name)
            if file is not None and file.is_file():
                with np.load(file, allow_pickle=False) as arrays:
                    self._known[name] = dict(zip(arrays["hashes"].tolist(), arrays["embeddings"], strict=True))
        return self._known[name]

    def _save(self, encoder_folder: Path, known: dict[str, Floats]) -> None:
        file = self._file(encoder_folder.name)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            scratch = file.with_suffix(".part.npz")
            np.savez(scratch, hashes=np.array(list(known)), embeddings=np.stack(list(known.values())))
            scratch.replace(file)

    def _file(self, encoder: str) -> Path | None:
        return None if self.scratch is None else self.scratch / f"embeddings-{encoder}.npz"
