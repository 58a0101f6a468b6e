"""A twin answering on a port of this machine, with its events delivered as they come."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator

from werkzeug.serving import BaseWSGIServer, make_server

from tieout.rehearsal.twins.twin import Twin

#: How often waiting events are taken to their doors, in seconds.
_BEAT = 0.02


class Serving:
    """A twin on a port; `url` is where it answers."""

    def __init__(self, twin: Twin, *, port: int = 0, deliver: bool = True) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.twin = twin
        self._server: BaseWSGIServer = make_server("127.0.0.1", port, twin, threaded=True)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)]
        if deliver:
            self._threads.append(threading.Thread(target=self._deliver, daemon=True))
        for thread in self._threads:
            thread.start()

    def _deliver(self) -> None:
        while not self._ended.is_set():
            self.twin.deliver(everything=False)
            time.sleep(_BEAT)

    def stop(self) -> None:
        """Answer no more."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(5)


@contextlib.contextmanager
def serving(twin: Twin, *, port: int = 0, deliver: bool = True) -> Iterator[Serving]:
    """The twin answers until the block ends. Without `deliver`, events wait until `twin.deliver()` is called."""
    running = Serving(twin, port=port, deliver=deliver)
    try:
        yield running
    finally:
        running.stop()
