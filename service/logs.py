"""Logs as JSON lines that hold facts about a request and no word of it."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LOGGER_NAME = "growth.service"
FIELDS = "fields"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, event, then the record's own fields.

    Of an exception only the type and the code lines it came through are written: its message may quote a value.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of ASCII JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= describe_exception(record.exc_info[1])
        return json.dumps(line)


def describe_exception(error: BaseException) -> dict[str, Any]:
    """Type and place of an exception, innermost call last."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return {
        "error": type(error).__name__,
        "at": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }


def configure_logs(level: str) -> None:
    """Send every logger's lines to standard error as JSON, in place of whatever was configured before."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
