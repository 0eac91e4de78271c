"""A worker that crashes ends the whole run: others would wait for it, or its end be overlooked."""

import pytest


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_handlecrashitem(crashitem: str) -> None:
    pytest.exit(f"a worker crashed in {crashitem}", returncode=1)
