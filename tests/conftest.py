"""What tests share: folders of their own, one real Prefect server, and the example once run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stores.testing.mongod import Mongod, MongodError, mongod_program


@pytest.fixture(autouse=True, scope="session")
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Put the user's data, cache and configuration folders into a temporary one for the whole session."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA", "CACHE", "CONFIG", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        for name in (
            "FOREQUAKE_STORE",
            "FOREQUAKE_HOME",
            "PREFECT_API_URL",
            "PREFECT_HOME",
            "PREFECT_PROFILE",
        ):
            patch.delenv(name, raising=False)
        yield home


@pytest.fixture(scope="session")
def prefect_api(_own_folders: Path) -> Iterator[str]:
    """Start a local server, as the command starts it, for all tests of the session; give its address."""
    from flows._server import ensure_api, stop_server

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PREFECT_API_URL", raising=False)
        endpoint = ensure_api(print)
        yield endpoint.url
        os.environ.pop("PREFECT_API_URL", None)
        stop_server()


@pytest.fixture(scope="session")
def mongod_there() -> None:
    """Skip what needs a mongod where there is none; where tests must be complete, fail."""
    try:
        mongod_program()
    except MongodError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def mongo_standalone(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Give the address of a standalone MongoDB; each test makes a database of its own in it."""
    given = os.environ.get("FOREQUAKE_TEST_MONGO_URI")
    if given:
        yield given
        return
    request.getfixturevalue("mongod_there")
    with Mongod(tmp_path_factory.mktemp("mongod")) as server:
        yield server.url


@pytest.fixture(scope="session")
def mongo_replica_set(mongod_there: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a MongoDB that is a replica set of one; each test makes a database of its own."""
    with Mongod(tmp_path_factory.mktemp("mongod"), replica_set="forequake") as server:
        yield server.url


@pytest.fixture(scope="session")
def mongo_guarded(mongod_there: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """Start a MongoDB that asks for passwords; each test makes a database and users of its own."""
    with Mongod(tmp_path_factory.mktemp("mongod"), auth=True) as server:
        yield server


@dataclass(frozen=True)
class CaliforniaRun:
    """The example, run by the command in a process of its own.

    Attributes
    ----------
    store_url
        Where its results are.
    first, second
        What the command printed in the first and in the second run.
    report
        The file that the second run was told to write a report to.
    """

    store_url: str
    first: str
    second: str
    report: Path


@pytest.fixture(scope="session")
def california(prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> CaliforniaRun:
    """Run the example twice, as a user would."""
    folder = tmp_path_factory.mktemp("california")
    url = f"sqlite:///{folder / 'results.sqlite'}"
    config = Path(__file__).parents[1] / "examples" / "california" / "config.yml"
    command = str(Path(sys.executable).with_name("forequake"))
    arguments = [command, "run", str(config), "--store", url]
    printed = []
    for more in ([], ["--report", str(folder / "report.html")]):
        process = subprocess.run([*arguments, *more], capture_output=True, text=True, timeout=240)
        assert process.returncode == 0, process.stderr
        printed.append(process.stdout)
    return CaliforniaRun(url, printed[0], printed[1], folder / "report.html")
