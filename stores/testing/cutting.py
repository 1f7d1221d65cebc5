"""A connection that breaks at a chosen place: between a program and a server of this machine."""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

__all__ = ["CuttingProxy"]

_PIECE: Final = 1 << 16


class CuttingProxy:
    """Passes bytes on to a port of 127.0.0.1, and cuts the connection where it was told to.

    New connections are passed on as before.

    Attributes
    ----------
    port
        Where it listens, on 127.0.0.1.
    cuts
        How often it has cut a connection.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0
        self._lock = threading.Lock()
        self._left: int | None = None
        self._markers: list[bytes] = []
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def cut_after(self, count: int) -> None:
        """Cut the connection over which the server gets the last of the next `count` bytes."""
        with self._lock:
            self._left = count

    def lose_answer_to(self, *markers: bytes) -> None:
        """Pass on the next message that holds a marker, and cut the connection in place of the answer.

        Each marker serves once.
        """
        with self._lock:
            self._markers = list(markers)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            sockets = list(self._open)
        for each in sockets:
            _close(each)
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # the end
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._open += [client, server]
            deaf = threading.Event()
            self._start(self._to_server, client, server, deaf)
            self._start(self._to_client, server, client, deaf)

    def _to_server(self, client: socket.socket, server: socket.socket, deaf: threading.Event) -> None:
        before = b""
        while piece := _received(client):
            with self._lock:
                for marker in [marker for marker in self._markers if marker in before + piece]:
                    self._markers.remove(marker)
                    deaf.set()
                cut = self._left is not None and len(piece) >= self._left
                if self._left is not None:
                    piece = piece[: self._left]
                    self._left = None if cut else self._left - len(piece)
                self.cuts += cut
            before = piece[-200:]
            if not _sent(server, piece) or cut:
                break
        _close(client)
        _close(server)

    def _to_client(self, server: socket.socket, client: socket.socket, deaf: threading.Event) -> None:
        while piece := _received(server):
            if deaf.is_set():
                with self._lock:
                    self.cuts += 1
                break
            if not _sent(client, piece):
                break
        _close(client)
        _close(server)


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(_PIECE)
    except OSError:
        return b""


def _sent(target: socket.socket, piece: bytes) -> bool:
    try:
        target.sendall(piece)
    except OSError:
        return False
    return True


def _close(connection: socket.socket) -> None:
    """Close a connection also for those who wait for its bytes."""
    with contextlib.suppress(OSError):  # it is closed already
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
