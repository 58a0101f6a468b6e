"""Addresses of the pages, in one list: address, view (`file.function` under `views/`), name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, include, path

PAGES: list[tuple[str, str, str]] = [
    ("", "overview.page", "overview"),
    ("overview/expected/", "overview.coming", "overview_expected"),
    ("overview/holders/", "overview.holders", "overview_holders"),
    ("overview/effect/", "overview.effect", "overview_effect"),
    ("receivables/", "receivables.page", "receivables"),
    ("receivables/totals/", "receivables.totals", "receivables_totals"),
    ("receivables/export.csv", "receivables.export", "receivables_export"),
    # A customer and what can be said and done about it.
    ("customers/<int:customer_id>/", "customer.page", "customer"),
    ("customers/<int:customer_id>/timeline/", "customer.more", "customer_timeline"),
    ("customers/<int:customer_id>/statement.pdf", "customer.statement", "customer_statement"),
    ("customers/<int:customer_id>/contacts/", "customer.contact", "customer_contact"),
    ("customers/<int:customer_id>/note/", "customer.note", "customer_note"),
    ("customers/<int:customer_id>/hold/", "customer.hold", "customer_hold"),
    ("customers/<int:customer_id>/release/", "customer.release", "customer_release"),
    ("customers/<int:customer_id>/promise/", "customer.promise", "customer_promise"),
    ("customers/<int:customer_id>/promise/withdraw/", "customer.withdraw", "customer_withdraw"),
    ("customers/<int:customer_id>/paid/", "customer.says_paid", "customer_says_paid"),
    ("customers/<int:customer_id>/link/", "customer.link", "customer_link"),
    ("customers/<int:customer_id>/correct/", "customer.correct", "customer_correct"),
    # An invoice or a credit note.
    ("invoices/<int:invoice_id>/", "invoice.page", "invoice"),
    ("invoices/<int:invoice_id>/undo/", "invoice.undo", "invoice_undo"),
    ("invoices/<int:invoice_id>/dispute/", "invoice.dispute", "invoice_dispute"),
    ("invoices/<int:invoice_id>/dispute/settle/", "invoice.settle", "invoice_settle"),
    ("invoices/<int:invoice_id>/correct/", "invoice.correct", "invoice_correct"),
    ("invoices/<int:invoice_id>/write-off/", "invoice.write_off", "invoice_write_off"),
    ("find/", "find.page", "find"),
    # Money.
    ("cash/", "cash.inbox", "cash"),
    ("cash/<int:payment_id>/", "cash.payment", "cash_payment"),
    ("cash/<int:payment_id>/apply/", "cash.apply", "cash_apply"),
    ("cash/<int:payment_id>/undo/", "cash.undo", "cash_undo"),
    ("cash/<int:payment_id>/assign/", "cash.assign", "cash_assign"),
    ("cash/<int:payment_id>/dismiss/", "cash.dismiss", "cash_dismiss"),
    ("cash/<int:payment_id>/reverse/", "cash.reverse_", "cash_reverse"),
    # Collecting.
    ("collections/", "collections.worklist", "collections"),
    ("collections/<int:customer_id>/say/", "collections.say", "collections_say"),
    ("collections/plan/", "collections.plan", "collections_plan"),
    ("collections/tasks/", "collections.tasks", "tasks"),
    ("collections/tasks/<int:task_id>/settle/", "collections.settle", "task_settle"),
    ("collections/release/", "release.page", "releases"),
    ("collections/release/wave/", "release.wave", "release_wave"),
    ("collections/release/undo/", "release.undo", "release_undo"),
    # Writing to people.
    ("outreach/", "outreach.messages", "outreach"),
    ("outreach/approve/", "outreach.approve", "outreach_approve"),
    ("outreach/draft/", "outreach.draft", "outreach_draft"),
    ("outreach/wordings/", "wordings.page", "wordings"),
    ("outreach/wordings/preview/", "wordings.preview", "wordings_preview"),
    ("outreach/wordings/save/", "wordings.save", "wordings_save"),
    ("outreach/replies/", "replies.page", "replies"),
    ("outreach/replies/<int:reply_id>/close/", "replies.close", "reply_close"),
    ("outreach/replies/<int:reply_id>/assign/", "replies.assign", "reply_assign"),
    ("outreach/replies/<int:reply_id>/agree/", "replies.agree", "reply_agree"),
    ("outreach/<int:message_id>/", "outreach.message", "message"),
    ("outreach/<int:message_id>/statement.pdf", "outreach.statement", "message_statement"),
    ("outreach/<int:message_id>/edit/", "outreach.edit", "message_edit"),
    ("outreach/<int:message_id>/cancel/", "outreach.cancel", "message_cancel"),
    ("outreach/<int:message_id>/settle/", "outreach.settle", "message_settle"),
    ("catcher/", "catcher.page", "catcher"),
    ("catcher/reply/", "catcher.reply", "catcher_reply"),
    ("o/<str:token>/", "opt_out.page", "opt_out"),
    # Where records come from.
    ("connections/", "connections.page", "connections"),
    ("connections/upload/", "upload.choose", "upload"),
    ("connections/upload/<str:token>/", "upload.preview", "upload_preview"),
    ("connections/upload/<str:token>/take/", "upload.take", "upload_take"),
    ("connections/upload/<str:token>/drop/", "upload.drop", "upload_drop"),
    ("connections/quarantine/", "quarantine.page", "quarantine"),
    ("connections/quarantine/<int:row_id>/mend/", "quarantine.mend", "quarantine_mend"),
    ("connections/quarantine/<int:row_id>/dismiss/", "quarantine.dismiss", "quarantine_dismiss"),
    ("connections/quarantine/<int:row_id>/reopen/", "quarantine.reopen", "quarantine_reopen"),
    ("connections/files/<int:envelope_id>/", "connections.original", "envelope"),
    ("connections/sent/<int:envelope_id>/", "systems.envelope", "envelope_shown"),
    ("connections/new/", "systems.gallery", "systems"),
    ("connections/new/<slug:vendor>/", "systems.new", "system_new"),
    ("connections/tie-out/", "tie_out.page", "tie_outs"),
    ("connections/<int:connection_id>/tie-out/", "tie_out.one", "tie_out_one"),
    ("connections/returned/", "systems.returned", "system_returned"),
    ("connections/<int:connection_id>/read/", "systems.read", "system_read"),
    ("connections/<int:connection_id>/live/", "systems.live", "system_live"),
    ("connections/<int:connection_id>/again/", "systems.again", "system_again"),
    ("connections/<int:connection_id>/end/", "systems.end", "system_end"),
    ("connections/<int:connection_id>/", "connections.one", "connection"),
    ("connections/<int:connection_id>/cadence/", "connections.cadence", "connection_cadence"),
    # Whose word counts, and where systems disagree.
    ("conflicts/", "conflicts.page", "conflicts"),
    ("conflicts/<int:conflict_id>/answer/", "conflicts.answer", "conflict_answer"),
    ("conflicts/<int:conflict_id>/undo/", "conflicts.undo", "conflict_undo"),
    ("conflicts/truth/", "truth.page", "truth"),
    ("conflicts/truth/change/", "truth.change", "truth_change"),
    # The house.
    ("settings/", "settings.page", "settings"),
    ("settings/organisation/", "settings.organisation", "settings_organisation"),
    ("settings/mode/", "settings.mode", "settings_mode"),
    ("settings/stop/", "settings.stop", "settings_stop"),
    ("settings/mail/", "settings.mail", "settings_mail"),
    ("settings/resume/", "settings.resume", "settings_resume"),
    ("settings/mailbox/", "settings.mailbox", "settings_mailbox"),
    ("settings/keys/", "settings.keys", "settings_keys"),
    ("settings/policy/", "policy.page", "policy"),
    ("settings/policy/check/", "policy.check", "policy_check"),
    ("settings/policy/save/", "policy.save", "policy_save"),
    ("team/", "team.page", "team"),
    ("team/invite/", "team.invite", "team_invite"),
    ("team/<int:person_id>/role/", "team.role", "team_role"),
    ("team/<int:person_id>/remove/", "team.remove", "team_remove"),
    ("team/<int:person_id>/link/", "team.link", "team_link"),
    ("audit/", "audit.page", "audit"),
    ("audit/verify/", "audit.verify", "audit_verify"),
    ("audit/head.json", "audit.head", "audit_head"),
    ("demo/", "demo.page", "demo"),
    ("demo/advance/", "demo.advance", "demo_advance"),
    ("demo/delete/", "demo.delete", "demo_delete"),
    ("organisation/", "shell.enter", "enter"),
    ("healthz", "shell.healthz", "healthz"),
]


def _view(target: str) -> Callable[..., HttpResponse]:
    module, _, name = target.partition(".")
    found: Callable[..., HttpResponse] = getattr(import_module(f"tieout.faces.web.views.{module}"), name)
    return found


urlpatterns: list[URLPattern | URLResolver] = [path(route, _view(target), name=name) for route, target, name in PAGES]
urlpatterns.append(path("accounts/", include("allauth.urls")))
handler403 = "tieout.faces.web.views.shell.forbidden"
handler404 = "tieout.faces.web.views.shell.not_found"
handler500 = "tieout.faces.web.views.shell.failed"
