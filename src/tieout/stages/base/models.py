"""Organisations, people and their roles, secrets, switches, the change feed and the audit trail."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from tieout.stages.base.rows import OrganisationRow, words


class WritingTransaction(models.Func):
    """The number of the transaction that writes the row."""

    template = "(pg_current_xact_id()::text)::bigint"
    arity = 0
    output_field = models.BigIntegerField()


class Organisation(models.Model):
    """A tenant. A global row, so it says nothing but that it exists; its name and settings stand behind its wall."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField()
    is_demo = models.BooleanField(default=False)


class Profile(OrganisationRow):
    """Name, seat and ways of one organisation; one row each. `clock_offset_days` moves the demo's day, nobody else's."""

    class Mode(models.TextChoices):
        SHADOW = "shadow", "Shadow: everything shown, nothing sent"
        LIVE = "live", "Live"

    name = models.CharField(max_length=300)
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=8, default="en")
    base_currency = models.CharField(max_length=3, default="EUR")
    sender_name = models.CharField(max_length=300, blank=True, default="")
    sender_address = models.EmailField(blank=True, default="")
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.SHADOW)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_reason = words()
    frozen_at = models.DateTimeField(null=True, blank=True)
    frozen_reason = words()
    clock_offset_days = models.IntegerField(default=0)
    error_budget_ppm = models.IntegerField(default=500)

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id"], name="base_profile_one")]


class People(BaseUserManager["Person"]):
    """Creates people by e-mail address; there are no user names."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Person:
        person = self.model(email=self.normalize_email(email), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Person:
        return self.create_user(email, password, **fields)


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in. Global: one person may belong to several organisations."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=300, blank=True, default="")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[People] = People()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def get_short_name(self) -> str:
        return self.name or self.email


class Membership(OrganisationRow):
    """A person's role in an organisation. A person may read their own rows to learn where they belong."""

    policy: ClassVar[str] = (
        "organisation_id = nullif(current_setting('app.org', true), '')::uuid"
        " OR person_id = nullif(current_setting('app.person', true), '')::bigint"
    )

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        ADMIN = "admin", "Admin"
        COLLECTOR = "collector", "Collector"
        APPROVER = "approver", "Approver"
        AUDITOR = "auditor", "Auditor"

    person = models.ForeignKey(Person, on_delete=models.DO_NOTHING, related_name="+")
    role = models.CharField(max_length=16, choices=Role.choices)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["organisation_id", "person"], condition=models.Q(ended_at__isnull=True), name="base_membership_current"
            )
        ]


class Secret(OrganisationRow):
    """An encrypted value: authenticated, bound to organisation and name, with the id of its key in the blob."""

    name = models.CharField(max_length=200)
    blob = models.BinaryField()
    key_id = models.CharField(max_length=32)
    set_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "name"], name="base_secret_name")]


class ApiKey(OrganisationRow):
    """A key another program shows to be let in, for one connection. Only its hash is kept; `prefix` tells people which one it is."""

    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64)
    #: A plain number: connections stand to the right of this stage.
    connection_id = models.BigIntegerField()
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "prefix"], name="base_apikey_prefix")]


class GlobalSwitch(models.Model):
    """One switch over everything that runs here: `stop` (nothing leaves), `frozen` (restored, not yet checked)."""

    name = models.CharField(max_length=32, primary_key=True)
    on = models.BooleanField(default=False)
    reason = words()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=300, default="")


class Change(OrganisationRow):
    """The change feed: what a transaction changed, in one row per kind. Read by commit visibility (`base.feed`)."""

    kind = models.CharField(max_length=32)
    cause = models.CharField(max_length=64)
    ids = models.JSONField(default=list)
    customer_ids = models.JSONField(default=list)
    recorded_at = models.DateTimeField()
    #: The writing transaction, filled by the database: it tells readers when it has committed.
    xid = models.BigIntegerField(editable=False, db_default=WritingTransaction())

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "xid", "id"], name="base_change_xid")]


class FeedCursor(OrganisationRow):
    """How far one reader of the change feed has come."""

    reader = models.CharField(max_length=64)
    xid = models.BigIntegerField(default=0)
    change_id = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "reader"], name="base_feedcursor_reader")]


class AuditEntry(OrganisationRow):
    """One act: who, when, what, why, and its place in the organisation's hash chain. Never changed, never deleted."""

    append_only = True

    seq = models.BigIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=8)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=300)
    action = models.CharField(max_length=64)
    object_kind = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    reason = words()
    detail = models.JSONField(default=dict)
    salt = models.BinaryField()
    digest = models.BinaryField()
    previous = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "seq"], name="base_auditentry_seq")]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "object_kind", "object_id", "seq"], name="base_auditentry_object")
        ]


class AuditHead(OrganisationRow):
    """The end of the chain: the last lock a transaction takes."""

    seq = models.BigIntegerField(default=0)
    hash = models.BinaryField(default=b"")

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id"], name="base_audithead_one")]
