"""Readers of catalog files, one for each format."""

from forequake.catalogs.formats.recognition import recognise
from forequake.catalogs.formats.registry import READERS

__all__ = ["READERS", "recognise"]
