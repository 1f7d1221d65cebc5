"""``forequake gc``: removing what nobody needs from the user's cache folder and from the store."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, cast

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from flows.cli._terminal import (
    JsonFlag,
    StoreName,
    bytes_words,
    complain,
    existing_store_of,
    note,
    out,
    print_json,
)
from flows.cli.store import swept_words
from forequake.clearing import KINDS, Judged, Kind, Rules, Thing, cleared, judged, things
from forequake.errors import InputError, StoreError, unknown
from stores import ResultsStore, SweepReport

__all__ = ["register"]

_SECONDS: Final = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_AGE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([mhdw])")
#: What a record does not name may be named soon by a run that goes on.
_BLOBS_OLDER_THAN: Final = timedelta(days=1)
_STORE: Final = "blobs"
#: Of each kind so many are shown one by one.
_SHOWN: Final = 12
#: Of these only the numbers are shown: nobody knows them by name.
_COUNTED: Final = frozenset({"forecasts", "regions"})


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("gc")(gc)


def gc(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would go; touch nothing.")
    ] = False,
    older_than: Annotated[
        str,
        typer.Option("--older-than", metavar="AGE", help="Leave what was used since: 90m, 12h, 30d, 8w."),
    ] = "30d",
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep",
            metavar="KIND",
            help=f"Leave all of a kind ({', '.join([*KINDS, _STORE])}); may be repeated.",
        ),
    ] = None,
    needed_too: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also what the next run of a stored experiment would take: it fetches and builds again.",
        ),
    ] = False,
    store: StoreName = "default",
    as_json: JsonFlag = False,
) -> None:
    """Remove what nobody needs any more from the cache folder and the store.

    That are old sources and environments of models, forecasts that were read, what killed processes left, and
    blobs that no record names. Results, records and sealed forecasts never go, and neither does anything that
    is in use. The exit code is 1 where something could not be looked at or removed.

    Example: `forequake gc --dry-run --older-than 60d`
    """
    kept = _kinds(keep or [])
    rules = Rules(
        older_than=_age(older_than),
        keep=cast(list[Kind], [kind for kind in kept if kind != _STORE]),
        needed_too=needed_too,
    )
    report = _collect(store, rules, sweeps=_STORE not in kept, dry_run=dry_run)
    if as_json:
        print_json(report.as_json())
    else:
        _show(report)
    if report.failures:
        raise typer.Exit(1)


@dataclass
class _Report:
    """What went, or would go, and what stays; `swept` of the store."""

    dry_run: bool
    store: str | None
    gone: list[Judged] = field(default_factory=list)
    staying: list[Judged] = field(default_factory=list)
    swept: SweepReport | None = None
    failures: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes that went, or would go."""
        freed = 0 if self.swept is None else self.swept.bytes_freed
        return sum(one.thing.size for one in self.gone) + freed

    def as_json(self) -> dict[str, Any]:
        swept = self.swept
        return {
            "dry_run": self.dry_run,
            "bytes": self.size,
            "going" if self.dry_run else "gone": [_thing(one) for one in self.gone],
            "staying": [_thing(one) for one in self.staying],
            "store": self.store,
            "blobs": None if swept is None else swept.model_dump(mode="json", exclude={"dry_run"}),
            "failures": self.failures,
        }


def _collect(store: str, rules: Rules, *, sweeps: bool, dry_run: bool) -> _Report:
    failures: list[str] = []
    target, stored = _store(store, failures)
    report = _Report(dry_run, None if target is None else target.name, failures=failures)
    with _busy("Looking through the cache folder"):
        judgements = judged(things(), replace(rules, stored=stored))

    def failed(thing: Thing, error: OSError) -> None:
        failures.append(f"{thing.path} cannot be removed: {error.strerror or error}")

    with _busy("Removing"):
        report.gone = [one for one in judgements if one.goes] if dry_run else cleared(judgements, failed)
    paths = {one.thing.path for one in report.gone}
    report.staying = [one for one in judgements if one.thing.path not in paths]
    if target is not None and sweeps:
        try:
            report.swept = target.sweep(_BLOBS_OLDER_THAN, dry_run=dry_run)
        except StoreError as error:  # what went of the cache is still to be told
            failures.append(f"{target.name} was not swept: {error}")
    return report


def _busy(words: str) -> Status:
    return Console(stderr=True).status(words)


def _store(name: str, failures: list[str]) -> tuple[ResultsStore | None, list[str] | None]:
    """Open the store, if there is one, and name its experiments; None where it cannot tell."""
    try:
        target = existing_store_of(name)
        return target, [] if target is None else [summary.name for summary in target.experiments()]
    except StoreError as error:
        failures.append(f"the store was not looked at: {error}")
        return None, None


def _age(text: str) -> float:
    found = _AGE.fullmatch(text.strip())
    if text.strip() == "0":
        return 0.0
    if found is None:
        message = f"--older-than is a number with m, h, d or w behind it, such as 12h or 30d, not {text!r}"
        raise InputError(message)
    return float(found[1]) * _SECONDS[found[2]]


def _kinds(words: Sequence[str]) -> list[str]:
    allowed = [*KINDS, _STORE]
    for word in words:
        if word not in allowed:
            raise InputError(unknown("kind", word, allowed))
    return list(words)


def _show(report: _Report) -> None:
    gone, swept = report.gone, report.swept
    if gone:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("kind", "size", "last used", "what for", "why"):
            right = name in {"size", "last used"}
            table.add_column(name, justify="right" if right else "left", no_wrap=right, overflow="fold")
        for row in _rows(gone):
            table.add_row(*map(escape, row))
        out.print(table)
    if swept is not None and swept.bytes_freed:
        out.print(f"In the store: {swept_words(swept)}, which no record names.")
    number = len(gone) + (0 if swept is None else len(swept.removed))
    if report.size or number:
        what = "1 thing" if number == 1 else f"{number} things"
        out.print(f"{what} of {bytes_words(report.size)} {'would go' if report.dry_run else 'removed'}.")
    else:
        out.print("Nothing to remove.")
    if report.staying:
        out.print(f"{bytes_words(sum(one.thing.size for one in report.staying))} stay:")
        for line in _staying(report.staying):
            out.print(f"  {line}", markup=False)
    for failure in report.failures:
        complain(failure)
    if report.store is not None:
        note(f"Store: {report.store}")


def _rows(gone: list[Judged]) -> list[tuple[str, str, str, str, str]]:
    rows: list[tuple[str, str, str, str, str]] = []
    moment = time.time()
    for kind in KINDS:
        of_kind = [one for one in gone if one.thing.kind == kind]
        shown = [] if kind in _COUNTED else of_kind[:_SHOWN]
        rows += [
            (
                kind,
                bytes_words(one.thing.size),
                _age_words(moment - one.thing.used),
                one.thing.what_for,
                one.why,
            )
            for one in shown
        ]
        rest: dict[str, list[Judged]] = {}
        for one in of_kind[len(shown) :]:
            rest.setdefault(one.why, []).append(one)
        for why, some in rest.items():
            size = sum(one.thing.size for one in some)
            last = moment - max(one.thing.used for one in some)
            rows.append((kind, bytes_words(size), _age_words(last), f"{len(some)} of them", why))
    return rows


def _staying(staying: list[Judged]) -> list[str]:
    groups: dict[tuple[str, str], list[int]] = {}
    for one in staying:
        # What was to go and is there still could not be removed, or somebody uses it by now.
        why = "not removed" if one.goes else one.why
        groups.setdefault((one.thing.kind, why), []).append(one.thing.size)
    return [
        f"{kind}: {len(sizes)}, {bytes_words(sum(sizes))}: {why}" for (kind, why), sizes in groups.items()
    ]


def _age_words(seconds: float) -> str:
    if seconds < 5400:
        return f"{max(seconds, 0) / 60:.0f} min ago"
    return f"{seconds / 3600:.0f} h ago" if seconds < 2 * 86400 else f"{seconds / 86400:.0f} d ago"


def _thing(one: Judged) -> dict[str, Any]:
    return {
        "kind": one.thing.kind,
        "path": str(one.thing.path),
        "bytes": one.thing.size,
        "last_used": datetime.fromtimestamp(one.thing.used, UTC).isoformat(),
        "what_for": one.thing.what_for,
        "why": one.why,
    }
