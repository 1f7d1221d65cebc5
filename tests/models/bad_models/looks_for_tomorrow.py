"""Looks for the catalog of tomorrow beside its folder."""

from pathlib import Path

here = Path.cwd()
for folder in (here, *here.parents[:3]):
    try:
        found = [file for file in folder.iterdir() if file.name.startswith("tomorrow")]
    except PermissionError:
        continue
    if found:
        print("found", found[0])
        raise SystemExit(0)
raise SystemExit("there is no catalog of tomorrow")
