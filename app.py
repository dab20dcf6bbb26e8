"""The workbench at / and the REST API at /api, in one process on one port: `streamlit run app.py`.

The workspace is opened (and, unless CREDITRISK_EMPTY is set, filled with the demo bank where there is none) before the first visitor.
"""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount

import ui
from creditrisk import demo, discretion, jobs, schedule
from creditrisk.api import create_api
from creditrisk.batch import keep
from creditrisk.errors import CreditRiskError
from creditrisk.perimeter import Perimeter
from creditrisk.store import Store
from ui import entrance, porch, theme, wire

log = logging.getLogger(__name__)
TICK = 20.0  # seconds between two looks at what is scheduled


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:  # noqa: ARG001
    """Open the workspace, warm what the first visitor would wait for, and let go of the file at the end."""
    discretion.install()
    # To answer in the place of a socket that is not opened is an application's right; this server logs each as broken off.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing handshake" not in record.getMessage())
    try:
        entrance.prove()
        porch.narrow()
        theme.keep()
        os.umask(0o077)  # what is written here is nobody else's on this machine
        furnish()
        store = ui.opened()
    except CreditRiskError as error:
        give_up(error)
    warm()
    tasks = [asyncio.create_task(keep_time(store)), asyncio.create_task(stay_local())]
    yield
    for task in tasks:
        task.cancel()
    jobs.shut_down(store)
    keep.shut_down(store)
    store.close()


async def keep_time(store: Store) -> None:
    """Start what people have put off, once it is due. Whatever is wrong with one round is said, and the next round comes."""
    while True:
        await asyncio.sleep(TICK)
        try:
            await asyncio.to_thread(schedule.start_due, store)
        except Exception as error:  # noqa: BLE001  (who waits for a time has nobody else to tell that the clock has stopped)
            log.error("What is scheduled could not be looked at; it will be again in %g seconds: %s", TICK, discretion.told(error))


async def stay_local() -> None:
    """End the process where its launcher has opened it to others without a sign-in; the guard lets none of them in meanwhile."""
    try:
        await entrance.prove_bound()
    except CreditRiskError as error:
        give_up(error)


def give_up(error: CreditRiskError) -> NoReturn:
    """End the process with a sentence: raising would print the server's stack."""
    print(f"\n  {error}", file=sys.stderr, flush=True)
    os._exit(2)


def furnish() -> None:
    """Give an unused workspace the demo bank, unless CREDITRISK_EMPTY says to leave it empty."""
    if not os.environ.get("CREDITRISK_EMPTY"):
        demo.furnish(ui.declared(), progress=lambda share, what: print(f"  {share:4.0%}  {what}", flush=True))


def warm() -> None:
    """Import what pages import, then keep the collector from walking over it after every rerun."""
    for name in ("plotly.graph_objects", "sklearn.linear_model", "xgboost", "creditrisk.treeshap"):
        import_module(name)
    gc.collect()
    gc.freeze()


app = st.App(
    Path(__file__).parent / "pages" / "workbench.py",
    routes=[Mount("/api", app=create_api(ui.opened))],
    middleware=[Middleware(Perimeter, open_store=ui.opened, provider=entrance.provider, wire=wire)],
    lifespan=lifespan,
)

if __name__ == "__main__":
    app.run()
