"""Gives every answer the vendor's form: JSON, a name for each request, and one envelope for every refusal."""

from __future__ import annotations

import uuid
from typing import Any

from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.hubspot.answers import Refused
from tieout.rehearsal.twins.twin import Twin, answer_json


class Answering(Twin):
    """Doors return `self.answer(...)` or raise Refused."""

    def answer(self, body: Any, status: int = 200, **headers: str) -> Response:
        """A JSON answer; nothing at all for 204."""
        return Response(b"", status, headers) if status == 204 else answer_json(body, status, headers)

    def correlation(self) -> str:
        """A name for this request."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def refuse(self, refusal: Refused) -> Response:
        """The answer to a refused request."""
        return self.answer(refusal.envelope(self.correlation()), refusal.code)

    def _routed(self, request: Request) -> Response:
        try:
            response = super()._routed(request)
        except Refused as refusal:
            response = self.refuse(refusal)
        if not request.path.startswith("/_twin/"):
            response.headers.setdefault("X-HubSpot-Correlation-Id", self.correlation())
        return response
