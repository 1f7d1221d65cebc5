"""Writing a report into a file: whole or not at all, and never over a file of another kind."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import quote

from dashboard.report.blocks import Picture, Section
from dashboard.report.drawing import browser_program, file_names, svg_files
from dashboard.report.head import title_of
from dashboard.report.markdown import markdown_of
from dashboard.report.material import Choice, Material
from dashboard.report.page import page_of
from dashboard.report.sections import sections_of
from forequake import __version__
from forequake.errors import InputError
from stores import ResultsStore

__all__ = ["Form", "check_place", "form_of", "report_file", "write_report"]

#: So much of a file tells whether it is a report that may be replaced.
_HEAD: Final = 2000


class Form(StrEnum):
    """What a report is written as."""

    HTML = "html"
    MARKDOWN = "md"


_ENDINGS: Final = {
    ".html": Form.HTML,
    ".htm": Form.HTML,
    ".md": Form.MARKDOWN,
    ".markdown": Form.MARKDOWN,
}
_OURS: Final = {
    Form.HTML: '<meta name="generator" content="forequake">',
    Form.MARKDOWN: "<!-- forequake report -->",
}


def form_of(path: Path, form: Form | None = None) -> Form:
    """Give the form of a report's file: the one that was asked for, else the one of the file's ending.

    Raises
    ------
    InputError
        Where the ending is of neither, or of the other one.
    """
    ending = path.suffix.lower()
    found = _ENDINGS.get(ending)
    if found is None and form is None:
        message = f"{path}: a report's file ends in .html or .md; or say which by --format"
        raise InputError(message)
    if found is not None and form is not None and found is not form:
        message = f"{path}: the ending {ending} is not that of the format {form.value}"
        raise InputError(message)
    return form or found or Form.HTML


def report_file(path: Path, experiment: str, form: Form | None = None) -> Path:
    """Give the file of an experiment's report: in a folder it is called as the experiment."""
    if path.is_dir():
        return path / f"{experiment.replace('/', '_')}.{(form or Form.HTML).value}"
    return path


def write_report(
    store: ResultsStore,
    experiment: str,
    path: Path,
    *,
    form: Form | None = None,
    choice: Choice | None = None,
    force: bool = False,
    progress: Callable[[str], None] = lambda title: None,
) -> int:
    """Write the report of an experiment, and give the file's size in bytes.

    Beside a report in Markdown its figures are put into a folder, where there is a browser to draw them.

    Parameters
    ----------
    path
        Of the file. One that is there is replaced if it is such a report.
    form
        None takes the one that the file's ending names.
    force
        Whether to replace whatever file is there.
    progress
        Told what is being made.

    Raises
    ------
    InputError
        Where the experiment, or a part of it, is not there; or where `path` may not be written.
    StoreError
        Where the store cannot be read.
    """
    form = check_place(path, form, force=force)
    material = Material(store, experiment, choice)
    sections = sections_of(material, progress)
    title = title_of(material)
    made = f"Made by forequake {__version__} on {material.read_at:%Y-%m-%d %H:%M:%S} UTC."
    progress("The file")
    if form is Form.HTML:
        return _write(path, page_of(title, sections, made))
    drawn = _draw(path, sections, progress, force=force)
    lines = markdown_of(title, sections, made, drawn)
    return _write(path, (part for parts in ((f"{_OURS[form]}\n\n",), lines) for part in parts))


def figures_folder(path: Path) -> Path:
    """Give the folder beside a report in Markdown that has its figures."""
    return path.with_name(f"{path.stem}_files")


def _draw(
    path: Path, sections: Sequence[Section], progress: Callable[[str], None], *, force: bool
) -> dict[str, str]:
    """Put the figures into a folder beside the report; give their links, none where no browser draws them."""
    pictures = [block for section in sections for block in section.blocks if isinstance(block, Picture)]
    program = browser_program()
    folder = figures_folder(path)
    if not pictures or program is None:
        return {}
    if folder.exists() and not force and not _has_figures_alone(folder):
        message = f"{folder} is there and has more than figures: name another file, or replace it by --force"
        raise InputError(message)
    progress("The figures")
    drawn = svg_files(pictures, program)
    names = file_names(pictures)
    draft = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{folder.name}."))
    try:
        for name, content in drawn.items():
            (draft / f"{names[name]}.svg").write_text(content, encoding="utf-8")
        draft.chmod(0o777 & ~_umask())
        if drawn:
            shutil.rmtree(folder, ignore_errors=True)
            draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return {name: f"{quote(folder.name)}/{names[name]}.svg" for name in drawn}


def _has_figures_alone(folder: Path) -> bool:
    return folder.is_dir() and all(
        file.is_file() and not file.is_symlink() and file.suffix == ".svg" for file in folder.iterdir()
    )


def check_place(path: Path, form: Form | None = None, *, force: bool = False) -> Form:
    """Tell in which form a report will be written to a file.

    Raises
    ------
    InputError
        Where none may be written there: its ending is of no form, there is no such folder, or the file is
        there and is no report.
    """
    form = form_of(path, form)
    if path.is_dir():
        message = f"{path} is a folder: name a file in it"
        raise InputError(message)
    if not path.parent.is_dir():
        message = f"{path}: there is no folder {path.parent}"
        raise InputError(message)
    if force or not path.exists():
        return form
    with path.open("rb") as file:
        head = file.read(_HEAD).decode(errors="replace")
    if _OURS[form] not in head:
        message = (
            f"{path} is there and is no report of this kind: name another file, or replace it by --force"
        )
        raise InputError(message)
    return form


def _write(path: Path, parts: Iterable[str]) -> int:
    """Write a file beside its place, then put it there."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise InputError(message) from error
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            for part in parts:
                file.write(part)
        size = draft.stat().st_size
        draft.chmod(0o666 & ~_umask())
        draft.replace(path)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise InputError(message) from error
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
    return size


def _umask() -> int:
    """Give the rights that new files lack; a temporary file has none but its owner's."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
