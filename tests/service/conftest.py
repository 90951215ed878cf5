"""The real application over the shipped model; the model is loaded once for all tests of the service."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from log_capture import logged
from school_app import SchoolApp, make_school_app
from sqlalchemy import URL
from starlette.testclient import TestClient

from service.app import create_app
from service.served_model import ServedModel, example_cases
from service.settings import Settings
from service.store.database import Database, engine_for
from service.store.schema_version import upgrade


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings()


@pytest.fixture(scope="session")
def served_model(settings: Settings) -> ServedModel:
    model = ServedModel(settings)
    model.load()
    return model


@pytest.fixture(scope="session")
def app_of(served_model: ServedModel) -> Callable[..., Any]:
    """Builds an application with other settings over the model that is loaded already."""

    def build(**options: Any) -> Any:
        return create_app(Settings(**options), served_model)

    return build


@pytest.fixture(scope="session")
def school_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the newest tables and nothing in them."""
    file = tmp_path_factory.mktemp("school") / "growth.sqlite3"
    database = Database(engine_for(URL.create("sqlite", database=str(file))))
    upgrade(database)
    database.close()
    return file


@pytest.fixture
def database_file(school_template: Path, tmp_path: Path) -> Path:
    """The embedded database of this test, for looking at its bytes."""
    return Path(shutil.copy(school_template, tmp_path / "growth.sqlite3"))


@pytest.fixture
def school_app(served_model: ServedModel, database_file: Path) -> Iterator[SchoolApp]:
    """The application with a school's people in its database, in local mode."""
    database = Database(engine_for(URL.create("sqlite", database=str(database_file))))
    app = create_app(Settings(data=database_file.parent), served_model, database)
    yield make_school_app(app, database)
    database.close()


@pytest.fixture
def client(app_of: Callable[..., Any]) -> Iterator[TestClient]:
    with TestClient(app_of()) as client:
        yield client


@pytest.fixture
def example() -> dict[str, Any]:
    return dict(example_cases()["struggle"])


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """Everything any logger writes."""
    with logged() as stream:
        yield stream
