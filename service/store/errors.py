"""What the store refuses. No message holds a text, a name or a value somebody sent."""

from __future__ import annotations

from recommender.errors import GrowthError


class StoreError(GrowthError):
    """Base of what the store refuses."""


class NotFoundError(StoreError):
    """There is no such row, or this actor may not know of it: the two are never told apart."""

    def __init__(self, what: str) -> None:
        super().__init__(f"no {what} under this id", wanted=f"the id of a {what} you can see")


class NotAllowedError(StoreError):
    """The actor sees the row and may not do this with it."""


class ConflictError(StoreError):
    """What is stored already stands against it: a rule of the tables, or an idempotency key used for something else."""


class StoreUnavailableError(StoreError):
    """The database cannot answer now; nothing of the transaction was kept. Asking again later is safe."""
