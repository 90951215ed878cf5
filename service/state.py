"""What a route may ask of the application, as names that read like a sentence in its arguments."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from service.casework import Casework
from service.metrics import Metrics
from service.served_model import ServedModel
from service.settings import Settings
from service.store.database import Database


async def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


async def _model(request: Request) -> ServedModel:
    found: ServedModel = request.app.state.model
    return found


async def _metrics(request: Request) -> Metrics:
    found: Metrics = request.app.state.metrics
    return found


async def _database(request: Request) -> Database:
    found: Database = request.app.state.database
    return found


async def _casework(request: Request) -> Casework:
    state = request.app.state
    return Casework(
        state.database, state.model, state.metrics, exploration=state.settings.exploration, shadow=state.shadow
    )


ServiceSettings = Annotated[Settings, Depends(_settings)]
Model = Annotated[ServedModel, Depends(_model)]
ServiceMetrics = Annotated[Metrics, Depends(_metrics)]
StoreDatabase = Annotated[Database, Depends(_database)]
CaseDesk = Annotated[Casework, Depends(_casework)]
