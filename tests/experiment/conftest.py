"""A run to export."""

import pytest


@pytest.fixture(scope="module")
def exportable(tmp_path_factory):
    """A folder with photos, the overrides that find the run, and its id; see `logged_run`."""
    from tests.experiment.exported import logged_run  # which imports Keras

    return logged_run(tmp_path_factory.mktemp("run"))
