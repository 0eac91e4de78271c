"""A worker that crashes ends the whole run: others would wait for it, or its end be overlooked."""

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # a busy one is slow, not wrong
settings.load_profile("any machine")


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_handlecrashitem(crashitem: str) -> None:
    pytest.exit(f"a worker crashed in {crashitem}", returncode=1)
