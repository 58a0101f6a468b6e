"""The peer of the webhook door: a Django view that inserts one row with the body and answers, and does nothing else.

`granian tieout.rehearsal.bench.bare:application`, on the same database and with the same server settings as the product's own; no
middleware, no signature, no organisation, no deduplication, no job.
"""

from __future__ import annotations

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def insert(request: HttpRequest) -> HttpResponse:
    """One row, one answer."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_bare (body) VALUES (%s)", [request.body])
    return HttpResponse("taken\n", content_type="text/plain", headers={"Content-Length": "6"})


urlpatterns = [path("bare/", insert)]


def _application() -> WSGIHandler:
    django.setup()
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = __name__
    return WSGIHandler()


application = _application()
