"""Policies in force, releases in waves, decisions with their trace, tasks, and the frozen baseline."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, tie, words


class Policy(OrganisationRow):
    """One version of the dunning policy as its YAML text; the newest active one is in force."""

    name = models.CharField(max_length=200)
    version = models.IntegerField()
    text = models.TextField()
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=300)
    active = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "version"], name="collect_policy_version")]


class Wave(OrganisationRow):
    """Customers released for chasing together by a person."""

    name = models.CharField(max_length=200)
    released_at = models.DateTimeField()
    released_by = models.CharField(max_length=300)
    customers = models.IntegerField()
    open_items = models.IntegerField()
    undone_at = models.DateTimeField(null=True, blank=True)


class Release(OrganisationRow):
    """A customer may be chased, until it is withdrawn. `soft` until its first message after the release has gone out."""

    checks_organisation = False

    customer = tie("ledger.Customer")
    wave = tie("collect.Wave", null=True)
    released_at = models.DateTimeField()
    soft = models.BooleanField(default=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)  # by a person: no machine releases the customer again

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "customer"], name="collect_release_one")]


class Baseline(OrganisationRow):
    """Where things stood at the first release, frozen, so that the effect can be told later."""

    frozen_at = models.DateTimeField()
    as_of = models.DateField()
    dso = models.JSONField(default=dict)
    aging = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id"], name="collect_baseline_one")]


class Decision(OrganisationRow):
    """What the policy said about one customer on one day, with its trace. One per customer, day and step."""

    checks_organisation = False

    customer = tie("ledger.Customer")
    day = models.DateField()
    step = models.CharField(max_length=64, blank=True, default="")
    channel = models.CharField(max_length=8, blank=True, default="")
    tone = models.CharField(max_length=12, blank=True, default="")
    outcome = models.CharField(max_length=8)  # send, task, hold, none
    reason = words()
    document_ids = models.JSONField(default=list)
    amounts = models.JSONField(default=dict)  # {"EUR": minor}
    not_before = models.DateTimeField(null=True, blank=True)
    approval = models.BooleanField(default=False)
    trace = models.JSONField(default=list)
    policy_version = models.IntegerField()
    decided_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "customer", "day", "step"], name="collect_decision_once")
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "day", "outcome"], name="collect_decision_day")]


class Task(OrganisationRow):
    """Something a person is to do: call, write a letter, find an address, look into an unknown outcome."""

    class State(models.TextChoices):
        OPEN = "open", "To do"
        DONE = "done", "Done"
        DROPPED = "dropped", "No longer needed"

    checks_organisation = False

    customer = tie("ledger.Customer")
    kind = models.CharField(max_length=16)  # call, letter, address, review, unknown
    title = words()
    reason = words()
    step = models.CharField(max_length=64, blank=True, default="")
    document_ids = models.JSONField(default=list)
    due_date = models.DateField()
    natural_key = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.OPEN)
    outcome = words()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "natural_key"], name="collect_task_once")]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "state", "due_date"], name="collect_task_open")]


class WorkItem(OrganisationRow):
    """The work list, one row per customer with something open: kept by planning, so that the page reads, not counts."""

    checks_organisation = False

    customer = tie("ledger.Customer")
    score = models.BigIntegerField(default=0)
    open_minor = models.JSONField(default=dict)  # {"EUR": minor}
    overdue_minor = models.JSONField(default=dict)
    base_open_minor = models.BigIntegerField(default=0)
    oldest_due_date = models.DateField(null=True)
    items = models.IntegerField(default=0)
    state = models.CharField(max_length=12, default="")  # due, overdue, promised, disputed, held, unreleased
    waiting_since = models.DateField(null=True)  # last spoken to, or overdue since; None where nobody is to be asked
    next_step = words()
    outcome = models.CharField(max_length=8, default="none")
    look_on = models.DateField(null=True)  # nothing can be due before, unless something changes; None: look every day
    refreshed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "customer"], name="collect_workitem_one")]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "-score", "customer"], name="collect_workitem_rank"),
            models.Index(fields=["organisation_id", "waiting_since", "customer"], name="collect_workitem_wait"),
        ]
