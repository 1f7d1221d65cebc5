"""Needs a package that does not exist."""

import no_such_package_anywhere

no_such_package_anywhere.forecast()
