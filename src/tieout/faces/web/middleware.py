"""Each request of a signed-in person runs inside their organisation: one transaction, one wall."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from tieout.stages.base import queries, walls


class OrganisationMiddleware:
    """Sets `request.organisation_id` and `request.membership` and opens the transaction; without them, no rows are seen."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.membership = None  # type: ignore[attr-defined]
        if not request.user.is_authenticated:
            return self.get_response(request)
        wanted = request.session.get("organisation")
        membership = queries.membership_of(person_id=int(request.user.pk), organisation_id=UUID(wanted) if wanted else None)
        if membership is None:
            return self.get_response(request)
        request.membership = membership  # type: ignore[attr-defined]
        with walls.inside(membership.organisation_id):
            return self.get_response(request)
