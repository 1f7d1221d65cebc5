"""The domain of earthquake-forecasting experiments: windows, regions, catalogs, forecasts, tests.

Knows no scheduler, no database, no web page and no plot.
"""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("forequake")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"
