"""Simulated teachers, lessons, observers and districts whose true needs are known."""
