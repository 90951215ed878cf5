"""The two kinds of evidence meet: fusion, calibration, constraints, reasons, the Recommender."""
