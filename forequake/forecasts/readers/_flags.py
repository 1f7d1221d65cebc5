"""Flags and masks of forecast files: recorded, never applied."""

from forequake.results import QualityFinding

__all__ = ["flag_findings"]


def flag_findings(other: int, what: str) -> tuple[QualityFinding, ...]:
    """Tell of cells that their author took out (flag 0) or marked otherwise; their rates are used."""
    if not other:
        return ()
    message = f"{other} {what} have a flag other than 1; their rates are used as they are, as pyCSEP does"
    return (QualityFinding(code="flagged_rows", severity="warning", message=message, count=other),)
