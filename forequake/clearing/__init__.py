"""Clearing the user's cache folder: what lies there, what of it may go, and why."""

from forequake.clearing.collection import YOUNG_SECONDS, Judged, Rules, cleared, judged, things
from forequake.clearing.thing import KINDS, Kind, Thing

__all__ = ["KINDS", "YOUNG_SECONDS", "Judged", "Kind", "Rules", "Thing", "cleared", "judged", "things"]
