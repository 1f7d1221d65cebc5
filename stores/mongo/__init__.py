"""The store on a MongoDB server, for many machines and users."""

from stores.mongo.store import MongoStore

__all__ = ["MongoStore"]
