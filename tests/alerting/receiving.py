"""A monitoring centre's HTTP receiver on a free port of this machine: answers as told, notes what came."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Posted(NamedTuple):
    """One request: path, headers by lower-case name, body."""

    path: str
    headers: dict[str, str]
    body: bytes


class Centre:
    """`answers` is the status of the next requests; while `slow` it sends its answer a byte at a time, without end."""

    def __init__(self) -> None:
        self.answers = 204
        self.slow = False
        self.leaving = threading.Event()
        self.came: list[Posted] = []
        self.url = ""


@contextlib.contextmanager
def centre() -> Iterator[Centre]:
    """A receiver for as long as the block lasts."""
    told = Centre()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told.came.append(Posted(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            if told.slow:
                self._dawdle()
                return
            self.send_response(told.answers)
            self.send_header("content-length", "0")
            self.end_headers()

        def _dawdle(self) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
                while not told.leaving.wait(0.01):
                    self.wfile.write(b".")

        def log_request(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}/alerts"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield told
    finally:
        told.leaving.set()
        server.shutdown()
        thread.join()
        server.server_close()
