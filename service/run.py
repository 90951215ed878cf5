"""Runs the service until it is told to stop."""

from __future__ import annotations

import os

from service.settings import Settings

# A request has one core: more threads in the numeric libraries would only fight over the same ones.
SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SHUTDOWN_SECONDS = 10


def run(settings: Settings) -> None:
    """Load the model, then answer on ``settings.host`` and ``settings.port``.

    Raises ModelVersionError before a port is opened when there is no sound model version.
    """
    for variable in SINGLE_THREADED:
        os.environ.setdefault(variable, "1")
    # Imported only now, because the numeric libraries read those variables once.
    import uvicorn

    from service.app import create_app
    from service.logs import configure_logs
    from service.served_model import ServedModel

    configure_logs(settings.log_level)
    served_model = ServedModel(settings)
    served_model.load()
    uvicorn.run(
        create_app(settings, served_model),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
