"""A centre for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.centre import Centre, centre


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre(tmp_path) as made:
        yield made
