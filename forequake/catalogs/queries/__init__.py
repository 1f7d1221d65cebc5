"""Catalogs over the network: services that are asked for the events within bounds."""

from forequake.catalogs.queries.ask import query
from forequake.catalogs.queries.bounds import QueryBounds
from forequake.patience import PATIENCE, Patience

__all__ = ["PATIENCE", "Patience", "QueryBounds", "query"]
