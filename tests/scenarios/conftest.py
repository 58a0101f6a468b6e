"""These tests need a database: models are imported when they are collected."""

from tests.conftest import connect

connect()
