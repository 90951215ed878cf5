"""Corpus in, model version out: fit, evaluate, card. The engine never imports this room."""
