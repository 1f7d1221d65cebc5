"""``forequake qualify``: whether a model's program can enter an experiment, and what to mend."""

import json
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import typer
from rich import box
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from flows.cli._model_options import (
    ArgsFile,
    Arguments,
    Build,
    CatalogOf,
    CatalogSeed,
    Func,
    LearnedFrom,
    Magnitude,
    Megabytes,
    ModelName,
    ModelOrExperiment,
    NSims,
    OutputFormat,
    Prefix,
    Quick,
    RegionOf,
    Revision,
    RunSeconds,
    SeedArgument,
    TypeOf,
    WindowOf,
)
from flows.cli._terminal import JsonFlag, complain, note, out, print_json
from forequake.errors import InputError

if TYPE_CHECKING:
    from pydantic import JsonValue

    from forequake.qualification import FolderOptions, Qualification, Subject

__all__ = ["register"]

_WORDS: Final = {
    "pass": "[green]passed[/]",
    "warn": "[yellow]warning[/]",
    "fail": "[bold red]to mend[/]",
    "info": "note",
    "skipped": "not asked",
}
#: What a file of an experiment has, and one of a model's own has not.
_MODELS: Final = re.compile(r"^(models|model_config)\s*:", re.MULTILINE)
#: Lines of what a program printed.
_MOST_LINES: Final = 15


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("qualify")(qualify)


def qualify(
    source: ModelOrExperiment,
    model: ModelName = None,
    window: WindowOf = None,
    func: Func = None,
    build: Build = None,
    arguments: Arguments = [],  # noqa: B006
    args_file: ArgsFile = None,
    seed_argument: SeedArgument = None,
    prefix: Prefix = None,
    form: OutputFormat = None,
    kind: TypeOf = None,
    n_sims: NSims = None,
    region: RegionOf = None,
    mag_min: Magnitude = None,
    mag_max: Magnitude = None,
    mag_bin: Magnitude = None,
    revision: Revision = None,
    catalog: CatalogOf = LearnedFrom.SIMULATED,
    seed: CatalogSeed = 1,
    seconds: RunSeconds = None,
    memory_mb: Megabytes = None,
    disk_mb: Megabytes = None,
    output_mb: Megabytes = None,
    quick: Quick = False,
    as_json: JsonFlag = False,
) -> None:
    """Try a model before it enters an experiment, and say what to mend.

    Builds it and runs it some ten times on a simulated catalog: twice the same, with another seed, with later
    events in its folder, a longer window, hardly any past, and more (docs/qualify.md). Exit code 0: it
    qualifies, 1: something is to mend, 2: it cannot be asked.

    Examples: `forequake qualify models/aftershocks --func 'reasenberg-jones input/args.txt'`,
    `forequake qualify examples/ridgecrest/config.yml --model rj@updated`
    """
    from forequake.qualification import FolderOptions
    from forequake.qualification import qualify as examine

    given = {"seconds": seconds, "memory_mb": memory_mb, "disk_mb": disk_mb, "output_mb": output_mb}
    options = FolderOptions(
        func=func,
        build=build,
        arguments=_arguments(arguments),
        args_file=args_file,
        seed_argument=seed_argument,
        prefix=prefix,
        format=form,
        forecast_type=None if kind is None else kind.value,
        n_sims=n_sims,
        region=region,
        magnitudes=(mag_min, mag_max, mag_bin),
        window=window,
        revision=revision,
        limits={name: value for name, value in given.items() if value is not None},
    )
    subject = _subject(source, model, options, own_catalog=catalog is LearnedFrom.EXPERIMENT, seed=seed)
    with _progress(subject.model.name) as (watch, on_run):
        found = examine(subject, watch, quick=quick, on_run=on_run)
    _tell(found, as_json=as_json)


def _tell(found: "Qualification", *, as_json: bool) -> None:
    for words in found.notes:
        note(words)
    if as_json:
        print_json(_object(found))
    else:
        _show(found)
    if not found.qualifies:
        raise typer.Exit(1)


def _subject(
    source: str, model: str | None, options: "FolderOptions", *, own_catalog: bool, seed: int
) -> "Subject":
    from forequake.qualification import subject_of_experiment, subject_of_folder

    path = Path(source)
    if _is_experiment(path):
        given = {
            "--region": options.region,
            "--mag-min": options.magnitudes[0],
            "--mag-max": options.magnitudes[1],
            "--mag-bin": options.magnitudes[2],
            "--type": options.forecast_type,
            "--format": options.format,
            "--revision": options.revision,
        }
        ours = [name for name, value in given.items() if value is not None]
        if ours:
            message = f"{', '.join(ours)}: the experiment {source} says this"
            raise InputError(message)
        return subject_of_experiment(path, model, options, own_catalog=own_catalog, catalog_seed=seed)
    if model is not None or own_catalog:
        message = f"--model and --catalog experiment belong to an experiment's file, and {source} is a model"
        raise InputError(message)
    return subject_of_folder(source, options, note, catalog_seed=seed)


def _is_experiment(path: Path) -> bool:
    """Tell whether a path is that of an experiment: a model may have a file config.yml, too."""
    if path.suffix in {".yml", ".yaml"}:
        return True
    try:
        text = (path / "config.yml").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return _MODELS.search(text) is not None


def _arguments(given: list[str]) -> "dict[str, JsonValue]":
    import yaml

    found: dict[str, JsonValue] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            message = f"--arg: expected KEY=VALUE, got {text!r}"
            raise InputError(message)
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError:
            read = value
        found[key.strip()] = read if _is_json(read) else value
    return found


def _is_json(value: object) -> bool:
    """Tell whether a value can stand in a file of arguments; a date of YAML stays the text that it was."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return value is not None


@contextmanager
def _progress(name: str) -> Iterator[tuple[Any, Callable[[str, int], None]]]:
    """Show which run is under way; the first Ctrl-C ends it in order."""
    from rich.console import Console

    from forequake.model_runs import Watch

    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.signal(signal.SIGINT, signal.default_int_handler)
            raise KeyboardInterrupt
        stop.set()
        note("Stopping: the run under way is being ended (again to stop at once).")

    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True, emoji=False),
        transient=True,
    )
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with bar:
            task = bar.add_task(f"{escape(name)}: preparing", total=None)

            def on_run(what: str, number: int) -> None:
                bar.update(task, description=f"{escape(name)}: run {number + 1}, {what}")

            def say(words: str) -> None:
                bar.console.print(words, markup=False, highlight=False)

            yield Watch(say, stop), on_run
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _object(found: "Qualification") -> dict[str, Any]:
    fields = asdict(found) | {"qualifies": found.qualifies}
    if found.cost is not None:
        fields["cost"]["hours_a_year"] = found.cost.hours_a_year
    return fields


def _show(found: "Qualification") -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("found", overflow="fold")
    for check in found.checks:
        table.add_row(escape(check.name), _WORDS[check.verdict], escape(check.found))
    past = f", learning from {found.past} events" if found.runs else ""
    out.print(f"[bold]{escape(found.model)}[/], {found.window}{past}")
    out.print(f"{found.command}  ({found.origin})", markup=False)
    out.print(table)
    mends = [check for check in found.checks if check.mend and check.verdict in {"fail", "warn"}]
    for verdict, heading in (("fail", "To mend"), ("warn", "Better")):
        of_verdict = [check for check in mends if check.verdict == verdict]
        if of_verdict:
            out.print(f"[bold]{heading}[/]")
        for check in of_verdict:
            out.print(f"- {check.name}: {check.mend}", markup=False)
    if found.said.strip():
        out.print("[bold]What it printed at last[/]")
        for line in found.said.splitlines()[-_MOST_LINES:]:
            out.print(f"  {line}", markup=False)
    _summary(found)


def _summary(found: "Qualification") -> None:
    warnings = found.number("warn")
    counts = (
        f"{found.number('pass')} passed, {warnings} warning{'' if warnings == 1 else 's'}, {found.runs} runs"
    )
    if found.qualifies:
        out.print(f"{found.model} qualifies: {counts}.", markup=False)
    else:
        complain(f"{found.model} does not qualify: {found.number('fail')} to mend, {counts}.")
