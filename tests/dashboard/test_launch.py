"""Starting the server: a light import, a command that any folder can run, settings beside the script."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

from dashboard.launch import APP, command, environment


def test_the_command_names_the_app_the_port_and_this_machine_only() -> None:
    words = command(8765)
    assert words[0] == sys.executable
    assert str(APP) in words
    settings = dict(zip(words[6::2], words[7::2], strict=True))
    assert settings["--server.port"] == "8765"
    assert settings["--server.address"] == "127.0.0.1"
    assert settings["--browser.gatherUsageStats"] == "false"


def test_the_environment_names_the_store() -> None:
    assert environment("sqlite:////data/x.sqlite") == {"FOREQUAKE_STORE": "sqlite:////data/x.sqlite"}


def test_importing_the_start_loads_no_streamlit() -> None:
    code = "import dashboard.launch, json, sys; print(json.dumps(sorted(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"streamlit", "plotly", "numpy"} & set(json.loads(found.stdout))


def test_importing_figures_loads_no_streamlit() -> None:
    code = "import dashboard.figures.matrix, dashboard.figures.distributions, sys; print('streamlit' in sys.modules)"  # noqa: E501
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "False\n"


def test_the_settings_lie_where_streamlit_looks_for_them() -> None:
    settings = tomllib.loads((Path(APP).parent / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["browser"]["gatherUsageStats"] is False
    assert {"light", "dark"} <= set(settings["theme"])
