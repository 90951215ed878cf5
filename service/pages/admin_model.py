"""The model that answers, for administrators: its version, its figures with their ranges, and its card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from recommender.ranking.versions import DEFAULT_MODELS, Manifest
from service.access.signed_in import AdministratorSignedIn
from service.pages.markdown import render_markdown
from service.pages.render import page
from service.pages.strings import page_strings
from service.problems import Problem
from service.state import Model, ServiceSettings

PATH = "/admin/model"
PICTURES = {".svg": "image/svg+xml", ".png": "image/png"}
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Figure:
    """A measured figure as it is printed; ``low`` and ``high`` are None where the version gives no interval."""

    label: str
    value: str
    low: str | None
    high: str | None
    n: int | None


@router.get(PATH)
def show_model(request: Request, me: AdministratorSignedIn, model: Model) -> HTMLResponse:
    """The version, the figures that matter most, and the whole card."""
    recommender = model.recommender
    words = page_strings()["admin"]["model"]
    pictures = {name: f"{PATH}/files/{name}" for name in recommender.manifest.files if _media_type(name)}
    return page(
        request, "admin_model.html", me,
        manifest=recommender.manifest, figures=shown_figures(recommender.manifest.figures, words["shown"]),
        card=render_markdown(recommender.card(), images=pictures, table_label=words["table"], first_level=3),
    )  # fmt: skip


@router.get(PATH + "/files/{name}")
def show_picture(me: AdministratorSignedIn, name: str, model: Model, settings: ServiceSettings) -> Response:  # noqa: ARG001
    """A picture of the card, if the manifest names it and it is still the one that was named."""
    manifest = model.recommender.manifest
    media_type, content = _media_type(name), _content(manifest, name, settings.models or DEFAULT_MODELS)
    if media_type is None or content is None:
        raise Problem("not-found")
    return Response(content, media_type=media_type)


def shown_figures(figures: Mapping[str, Any], shown: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """The figures a list names, in its order; one that a version does not have is left out.

    An entry of ``shown`` has ``at``, the keys that lead to the figure, and ``label``. A figure is a number, or has
    ``mean``, ``low``, ``high`` and ``n``.
    """
    found = [(entry["label"], _at(figures, entry["at"])) for entry in shown]
    return [figure for label, value in found if (figure := _figure(label, value)) is not None]


def _at(figures: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        figures = figures.get(key) if isinstance(figures, Mapping) else None
    return figures


def _figure(label: str, value: Any) -> Figure | None:
    if isinstance(value, int | float):
        return Figure(label, _printed(value), None, None, None)
    if not isinstance(value, Mapping) or not {"mean", "low", "high"} <= value.keys():
        return None
    return Figure(label, _printed(value["mean"]), _printed(value["low"]), _printed(value["high"]), value.get("n"))


def _printed(value: float) -> str:
    return f"{value:.2f}"


def _media_type(name: str) -> str | None:
    return PICTURES.get(PurePosixPath(name).suffix)


def _content(manifest: Manifest, name: str, models: Path) -> bytes | None:
    if name not in manifest.files:
        return None
    try:
        content = (models / manifest.version / name).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == manifest.files[name] else None
