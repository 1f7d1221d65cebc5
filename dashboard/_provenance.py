"""What a run started from, as facts that can be compared: code, configuration, packages, catalogs, forecasts.

No Streamlit, so that reports and tests can use it.
"""

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml

import forequake
from forequake.quantities import Sha256
from forequake.results import (
    CatalogForecastRecord,
    EnvironmentRecord,
    ExperimentRecord,
    ForecastRecord,
    ForecastSource,
    RunRecord,
)
from forequake.windows import TimeWindow

__all__ = [
    "CatalogFacts",
    "Difference",
    "Facts",
    "Forecast",
    "config_hash",
    "config_text",
    "differences",
    "document",
    "facts_of",
    "forecast_table",
    "repeat_commands",
    "requirements",
]

#: By part and name, in words.
Facts = Mapping[str, Mapping[str, str]]

_CODE: Final = "code"
_CONFIGURATION: Final = "configuration"
_PACKAGES: Final = "packages"
_CATALOGS: Final = "catalogs and region"
_FORECASTS: Final = "forecasts"
#: Longer values are cut where they are listed; the document has them whole.
_MOST_LETTERS: Final = 200
#: So many digits of a hash are shown.
_DIGITS: Final = 12
_OWN_PACKAGE: Final = "forequake"


@dataclass(frozen=True)
class CatalogFacts:
    """A catalog of an experiment: its source, what was found there, and when.

    Attributes
    ----------
    purpose
        ``testing`` or ``learning``, as in `forequake.results.CatalogRetrieval`.
    source
        As the experiment names it.
    n_events, first, last
        Of the snapshot; None where the store has it no more.
    retrieved_at
        None where that was not recorded.
    """

    purpose: str
    source: Any
    snapshot: Sha256
    n_events: int | None
    first: datetime | None
    last: datetime | None
    retrieved_at: datetime | None


@dataclass(frozen=True)
class Forecast:
    """A forecast for a window: what it was read from, and its record where the store has one."""

    model: str
    window: TimeWindow
    source: ForecastSource
    key: Sha256 | None
    record: ForecastRecord | CatalogForecastRecord | None


@dataclass(frozen=True)
class Difference:
    """A fact that two runs do not share; None where one of them has none."""

    part: str
    what: str
    before: str | None
    after: str | None


def config_text(record: ExperimentRecord) -> str:
    """Write a configuration as text, with all defaults written out."""
    text: str = yaml.safe_dump(record.config, sort_keys=False, allow_unicode=True, width=100)
    return text


def config_hash(record: ExperimentRecord) -> Sha256:
    """Give the SHA-256 of a configuration: of its JSON without spaces, names in order."""
    text = json.dumps(record.config, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def facts_of(
    record: ExperimentRecord | None,
    run: RunRecord | None,
    environment: EnvironmentRecord | None,
    catalogs: Sequence[CatalogFacts] = (),
) -> Facts:
    """Give all that a run started from in words, by part and name."""
    code: dict[str, str] = {}
    if run is not None:
        dirty = {None: "not known", True: "yes", False: "no"}[run.git_dirty]
        code = {"commit": run.git_commit or "none", "uncommitted changes": dirty}
        code |= {} if run.seed is None else {"seed": str(run.seed)}
    if environment is not None:
        code |= {"Python": environment.python, "platform": environment.platform}
        code |= {} if environment.image_digest is None else {"container": environment.image_digest}
    facts: dict[str, Mapping[str, str]] = {
        _CODE: code,
        _PACKAGES: {} if environment is None else environment.packages,
    }
    if record is None:
        return facts
    inputs = record.inputs
    events = {each.snapshot: f", {each.n_events} events" for each in catalogs if each.n_events is not None}
    found = {"region": inputs.region[:_DIGITS]}
    for name, snapshot in (("catalog", inputs.catalog), ("input catalog", inputs.input_catalog)):
        if snapshot is not None:
            found[name] = snapshot[:_DIGITS] + events.get(snapshot, "")
    found |= {f"file {name}": file.sha256[:_DIGITS] for name, file in inputs.own_files.items()}
    sources = {model: content[:_DIGITS] for model, content in inputs.models.items()}
    for model, by_window in inputs.forecasts.items():
        for window, source in by_window.items():
            years = "" if source.unit_years is None else f", {source.unit_years:g} years"
            sources[f"{model} in {window}"] = f"{source.content[:_DIGITS]} by {source.reader}{years}"
    return facts | {
        _CONFIGURATION: _flat(record.config),
        _CATALOGS: found,
        _FORECASTS: sources,
    }


def _flat(value: Any, place: str = "") -> dict[str, str]:
    """Give the leaves of JSON by their places; parts of lists by their names where they have one."""
    if isinstance(value, dict) and value:
        return {
            name: text
            for key, part in value.items()
            for name, text in _flat(part, f"{place}.{key}" if place else str(key)).items()
        }
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        if all("name" in part for part in value):
            return {
                name: text
                for part in value
                for name, text in _flat(
                    {key: each for key, each in part.items() if key != "name"} or "named",
                    f"{place}.{part['name']}",
                ).items()
            }
        if all(set(part) == {"start", "end"} for part in value):
            return {f"{place} {part['start']} to {part['end']}": "there" for part in value}
    return {place: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}


def differences(before: Facts, after: Facts) -> list[Difference]:
    """List what two runs do not share, part by part."""
    found: list[Difference] = []
    for part in dict.fromkeys([*before, *after]):
        mine, theirs = before.get(part, {}), after.get(part, {})
        found += [
            Difference(part, what, _cut(mine.get(what)), _cut(theirs.get(what)))
            for what in dict.fromkeys([*mine, *theirs])
            if mine.get(what) != theirs.get(what)
        ]
    return found


def _cut(text: str | None) -> str | None:
    if text is None or len(text) <= _MOST_LETTERS:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    return f"{text[:_MOST_LETTERS]}… (SHA-256 {digest})"


def forecast_table(forecasts: Sequence[Forecast]) -> list[dict[str, Any]]:
    """List forecasts with where they come from, one in a row."""
    table = []
    for each in forecasts:
        record, run = each.record, None if each.record is None else each.record.run
        table.append(
            {
                "model": each.model,
                "content": each.source.content,
                "reader": each.source.reader,
                "source": None if record is None else record.source,
                "made at": None if record is None else record.made_at,
                "status": None if record is None else record.prospective.value.replace("_", "-"),
                "expected events": None if record is None else float(record.total),
                "source commit": None if run is None else run.commit,
                "source files": None if run is None else run.tree,
                "environment": None if run is None else run.environment,
                "command": None if run is None else shlex.join(run.command),
                "arguments": None if run is None else run.arguments.strip().replace("\n", "; "),
                "seed": None if run is None else str(run.seed),
                "seconds": None if run is None else sum(run.seconds.values()),
                "record": each.key if record is not None else None,
                "window": each.window.id,
            }
        )
    return table


def document(
    run: RunRecord | None,
    record: ExperimentRecord | None,
    environment: EnvironmentRecord | None,
    catalogs: Sequence[CatalogFacts],
    forecasts: Sequence[Forecast],
) -> dict[str, Any]:
    """Put all that is known of a run into one document of JSON."""
    return {
        "run": None if run is None else run.model_dump(mode="json"),
        "experiment": None
        if record is None
        else {
            "record": record.key,
            "config_sha256": config_hash(record),
            "config": record.config,
            "inputs": record.inputs.model_dump(mode="json"),
        },
        "environment": None
        if environment is None
        else environment.model_dump(mode="json", exclude={"canon", "schema_version"}),
        "catalogs": [
            {
                "purpose": each.purpose,
                "source": each.source,
                "snapshot": each.snapshot,
                "events": each.n_events,
                "first": _iso(each.first),
                "last": _iso(each.last),
                "retrieved_at": _iso(each.retrieved_at),
            }
            for each in catalogs
        ],
        "forecasts": [
            {
                "model": each.model,
                "window": each.window.id,
                "source": each.source.model_dump(mode="json"),
                "record": None
                if each.record is None
                else each.record.model_dump(mode="json", exclude={"canon", "schema_version"}),
            }
            for each in forecasts
        ],
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def requirements(environment: EnvironmentRecord) -> str:
    """Write the packages of a run for ``pip install -r``; forequake's own comes from its checkout."""
    lines = [f"{name}=={version}" for name, version in environment.packages.items() if name != _OWN_PACKAGE]
    return "".join(f"{line}\n" for line in lines)


def repeat_commands(run: RunRecord, environment: EnvironmentRecord | None) -> str | None:
    """Write the commands of a shell that repeat a run, into a store of its own.

    Returns
    -------
    str or None
        None where the run does not tell its own command.
    """
    if len(run.command) < 3:
        return None
    program, verb, config, *rest = run.command
    lines = []
    if run.git_commit is not None:
        folder = shlex.quote(str(Path(config).parent))
        lines += [
            "# the experiment's files as the run had them",
            f"git -C {folder} checkout {run.git_commit}",
        ]
    if environment is not None:
        python = ".".join(environment.python.split(".")[:2])
        version = environment.packages.get(_OWN_PACKAGE)
        lines += [
            f"# Python {environment.python} with the packages of the run"
            + ("" if version is None else f", and forequake {version} from its checkout"),
            f"python{python} -m venv repeat",
            "repeat/bin/python -m pip install -r requirements.txt",
            f"repeat/bin/python -m pip install --no-deps {_checkout()}",
        ]
        program = "repeat/bin/forequake"
    lines += [
        "# the run, into a store of its own",
        shlex.join([program, verb, config, *_with_own_store(rest)]),
    ]
    return "\n".join(lines)


def _with_own_store(words: Sequence[str]) -> list[str]:
    kept = list(words)
    if "--store" in kept[:-1]:
        place = kept.index("--store")
        del kept[place : place + 2]
    return [*kept, "--store", "sqlite:///repeated.sqlite"]


def _checkout() -> str:
    """Give the folder of forequake's own checkout, where this one runs from it."""
    folder = Path(forequake.__file__).resolve().parents[1]
    return shlex.quote(str(folder)) if (folder / "pyproject.toml").is_file() else _OWN_PACKAGE
