"""Each request of a signed-in person runs inside their organisation: one transaction, one wall, one moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from tieout.core import days
from tieout.faces.web.views import shell
from tieout.flow import clock
from tieout.stages.base import permit, queries, walls


class OrganisationMiddleware:
    """Sets `membership`, `organisation_id`, `profile`, `now` and `today` on the request and opens its transaction.

    Without a membership no rows are seen. The moment is read once, so that a page and its head say the same.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.membership = None
        # The opt-out page belongs to whoever wrote the letter, a door to whoever holds its key; not to whoever happens to be signed in here.
        if request.path.startswith(("/o/", "/api/", "/hooks/")) or not request.user.is_authenticated:
            return self.get_response(request)
        membership = queries.membership_of(person_id=int(request.user.pk), organisation_id=_wanted(request))
        if membership is None:
            return self.get_response(request)
        request.membership = membership
        request.organisation_id = membership.organisation_id
        with walls.inside(membership.organisation_id):
            request.before_view = transaction.savepoint()
            request.profile = queries.profile()
            request.now = clock.real_now() + dt.timedelta(days=request.profile.clock_offset_days)
            request.today = queries.today_of(request.profile, request.now)
            with timezone.override(days.zone(request.profile.time_zone)):
                return self.get_response(request)

    def process_exception(self, request: Any, exception: Exception) -> HttpResponse | None:
        """Whatever ends a view early leaves nothing half done, and the page that says so can still be read."""
        if getattr(request, "before_view", None) and transaction.get_connection().in_atomic_block:
            transaction.savepoint_rollback(request.before_view)
            transaction.set_rollback(False)
        if isinstance(exception, permit.NotPermitted):
            return shell.forbidden(request, exception)
        return None


def _wanted(request: HttpRequest) -> UUID | None:
    try:
        return UUID(str(request.session.get("organisation")))
    except ValueError:
        return None
