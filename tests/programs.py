"""Programs of the system that only some tests need: without one its tests are skipped, and in CI they fail."""

import os
import shutil

import pytest


def program(name: str, *, package: str | None = None) -> str:
    """The path of a program; without it the test says what is missing and how it is got."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        missing = f"{name} is not installed; on Debian: apt-get install {package or name}"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found
