"""The application for granian."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application


class _Door(WSGIHandler):
    """For what other systems deliver: no session, no language, no person; the middleware of pages would cost more than the delivery."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002 - Django's signature
        self._view_middleware, self._template_response_middleware, self._exception_middleware = [], [], []
        self._middleware_chain = convert_exception_to_response(self._get_response)


_pages = get_wsgi_application()
_door = _Door()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Pages and the push API, or the door of webhooks."""
    answering = _door if environ["PATH_INFO"].startswith("/hooks/") else _pages
    return answering(environ, start_response)  # type: ignore[no-any-return]
