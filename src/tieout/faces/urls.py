"""Every address there is: the pages of `web`, the doors of `api`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from tieout.faces.api import hooks, push

urlpatterns: list[URLPattern | URLResolver] = [
    path("hooks/<uuid:organisation>/<int:connection>/<str:token>/", hooks.door, name="hook"),
    *push.urlpatterns,
    path("", include("tieout.faces.web.urls")),
]
handler403 = "tieout.faces.web.views.shell.forbidden"
handler404 = "tieout.faces.web.views.shell.not_found"
handler500 = "tieout.faces.web.views.shell.failed"
