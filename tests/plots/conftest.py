"""What the pictures' tests share."""

import os
import shutil
from collections.abc import Callable

import pytest


@pytest.fixture
def needs() -> Callable[[str], str]:
    """The path of a program; without it the test skips, or fails where all must be installed."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is None:
            missing = f"{program} is not installed"
            if os.environ.get("TRIPLETLAB_REQUIRE_SYSTEM") == "1":
                pytest.fail(missing)
            pytest.skip(missing)
        return path

    return find
