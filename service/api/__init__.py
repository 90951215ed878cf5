"""The scoring API for other apps."""
