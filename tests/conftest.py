"""What the tests share: settings in a temporary folder, an in-memory store, the outside data where it is, a small bank."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest

import creditrisk  # noqa: F401  (sets the OpenMP policy before anything heavy is imported)
from creditrisk import store as stores
from creditrisk.settings import Settings, load
from creditrisk.store import Store

ROOT = Path(__file__).parents[1]

hypothesis.settings.register_profile("steady", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("steady")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Default settings whose workspace lies in a folder of the test's own."""
    return replace(load(ROOT / "creditrisk.toml"), data=tmp_path / "data", models=tmp_path / "models")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """An empty workspace in memory."""
    opened = stores.open_in_memory(settings)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real statements and tables; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("CREDITRISK_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real data in {folder} (set CREDITRISK_SHARED to its parent)")
    return folder


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small filled demo workspace (`data`, `models`); copy it, never write to it."""
    from creditrisk import demo

    folder = tmp_path_factory.mktemp("bank")
    opened = stores.open_workspace(replace(load(ROOT / "creditrisk.toml"), data=folder / "data", models=folder / "models"))
    demo.fill(opened, applicants=150, seed=11)
    opened.close()
    return folder


@pytest.fixture
def filled(bank: Path, tmp_path: Path) -> Iterator[Store]:
    """A store of one's own, filled with the small demo bank."""
    shutil.copytree(bank, tmp_path / "bank")
    opened = stores.open_workspace(
        replace(load(ROOT / "creditrisk.toml"), data=tmp_path / "bank" / "data", models=tmp_path / "bank" / "models")
    )
    yield opened
    opened.close()
