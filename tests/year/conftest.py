"""Whether a stack can run here."""

import pytest

from tests.conftest import Missing


@pytest.fixture
def a_stack_can_run(missing: Missing) -> None:
    if missing.mongo or (missing.apache and missing.tansu):
        pytest.skip(f"no stack can run here: {missing}")
