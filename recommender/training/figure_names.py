"""Names of the parts of a manifest's figures that more than one module reads or writes."""

from __future__ import annotations

# On the development struggles: ``figures`` by ranker, ``calibration``, ``slices, nDCG@5``.
DEVELOPMENT, CALIBRATION, SLICES = "development", "calibration", "slices, nDCG@5"
CURVE = "learning curve"
# What the gates found of a version before it could answer.
GATES = "gates"
# Recorded of a trained version: what it learns from simulated use, and its fairness audit.
USE, AUDIT = "learning from use", "fairness audit"
