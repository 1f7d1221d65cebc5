"""Gives a file of the machine for its forecast."""

import good

good.path().symlink_to("/etc/hostname")
