"""Opens a connection to the network."""

import socket

socket.create_connection(("192.0.2.1", 80), timeout=5)
