"""Scores in, need per item and skill out."""
