"""The environment variables of foreign code."""

import os
import site
from pathlib import Path
from typing import Final

__all__ = ["foreign_environment"]

#: What the environment of foreign code keeps of ours.
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CONDA_PREFIX")
#: One thread each: forking is safe then, and sums do not depend on the number of processors.
_THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def foreign_environment(root: Path) -> dict[str, str]:
    """Give the environment of foreign code: no word of our store, and the same every time.

    Parameters
    ----------
    root
        Its folders ``home`` and ``tmp`` are those of the code.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if site.ENABLE_USER_SITE:
        kept["PYTHONUSERBASE"] = site.getuserbase()
    return (
        kept
        | dict.fromkeys(_THREADS, "1")
        | {
            "HOME": str(root / "home"),
            "TMPDIR": str(root / "tmp"),
            "TZ": "UTC",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "MPLBACKEND": "Agg",
        }
    )
