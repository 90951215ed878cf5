from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from acknowledged import SHORT, a_case, acknowledged, all_there, at_work, make_app, make_writers, refusals
from running_service import answering
from sqlalchemy import URL

from service.app import create_app
from service.client import GrowthClient, ProblemError
from service.settings import Settings
from service.store.database import Database, engine_for

SIZE = "8m"
FULL = {(503, "store-unavailable")}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or mount is None or subprocess.run([mount, *options], check=False).returncode != 0:
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file) -> None:
    """Take all the space that is left, to the last byte."""
    with file.open("wb", buffering=0) as ballast:
        for size in (65_536, 4_096, 1):
            while True:
                try:
                    ballast.write(b"\0" * size)
                except OSError:
                    break


def test_a_full_disk_refuses_writes_and_loses_none_and_is_forgotten_when_there_is_space(
    small_disk, school_template, served_model
):
    file = small_disk / "growth.sqlite3"
    shutil.copy(school_template, file)
    database = Database(engine_for(URL.create("sqlite", database=str(file))))
    key = make_app(database)
    app = create_app(Settings(data=small_disk, app_requests_per_minute=100_000), served_model, database)
    with answering(app) as address, GrowthClient(address, key, retries=0) as client:
        writers = make_writers(address, key)
        with at_work(writers, address, key, 10) as finish:
            finish()
        # While they write on; each stops at its first refusal.
        with at_work(writers, address, key, 1_000) as finish:
            fill(small_disk / "ballast")
            finish()
        assert refusals(writers) == FULL
        kept = acknowledged(writers)
        with pytest.raises(ProblemError) as caught:
            client.open_case(a_case(SHORT))
        assert (caught.value.status, caught.value.kind) in FULL
        # Whatever was said to be kept can be read while nothing can be written.
        assert client.ready().tables_version is not None
        assert {case.id for case in client.all_cases()} == {i for writer in writers for i in writer.said["case"]}
        assert client.case(writers[0].said["case"][0]).struggle
        all_there(database, writers)
        (small_disk / "ballast").unlink()
        # What was refused is sent again with its key, and more.
        until = max(writer.number for writer in writers) + 5
        with at_work(writers, address, key, until) as finish:
            finish()
        assert refusals(writers) == FULL
        assert acknowledged(writers) > kept
    all_there(database, writers)
    database.close()
