"""Settings of the test suite: the same as running ones, on a cluster of its own, with cheap password hashing."""

from tieout.settings.run import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
