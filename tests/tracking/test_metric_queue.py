"""Metrics are written while a run goes on: in order, all of them, before its status is set."""

import contextlib
import threading
import time

import pytest
from mlflow import MlflowClient

from tests.servers import cluster_example
from tests.torture.proxy import Proxy
from tests.tracking.projects import status, tracker_in
from tripletlab.errors import InputError
from tripletlab.tracking import store, tracked_run
from tripletlab.tracking.metric_queue import MetricQueue

EPOCHS = range(1, 21)
SLOW = 0.2  # seconds


@pytest.fixture
def writing(monkeypatch):
    """A queue that is away until `opened`, what it has written, and what it raises then."""
    opened, written, errors = threading.Event(), [], []

    class Client:
        def log_batch(self, run_id, batch):
            opened.wait()
            if errors:
                raise errors[0]
            written.append((run_id, list(batch)))

    monkeypatch.setattr(store, "client", Client)
    yield MetricQueue("one"), opened, written, errors
    opened.set()


def test_what_is_added_meanwhile_goes_into_one_request_in_its_order(writing):
    queue, opened, written, _ = writing
    for number in range(2500):
        queue.add([number])
    opened.set()
    queue.flush()
    assert {run for run, _ in written} == {"one"}
    assert [one for _, batch in written for one in batch] == list(range(2500))
    assert len(written) <= 4
    assert max(len(batch) for _, batch in written) <= 1000  # MLflow's limit
    queue.add([2500])  # the thread has ended, and another begins
    queue.flush()
    assert written[-1] == ("one", [2500])
    assert "metrics" not in {thread.name for thread in threading.enumerate()}


def test_an_error_in_the_background_ends_the_run(writing):
    queue, opened, _, errors = writing
    errors.append(InputError("tracking.uri=x: is damaged"))
    queue.add([1])
    opened.set()
    for call in (queue.flush, queue.flush, lambda: queue.add([2])):
        with pytest.raises(InputError, match="is damaged"):
            call()


def test_a_flush_with_a_limit_gives_up(writing):
    queue, _, _, _ = writing
    queue.add([1, 2])
    with pytest.raises(InputError, match="2 values of metrics"):
        queue.flush(limit=0.1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The port of a real MLflow server."""
    root = tmp_path_factory.mktemp("server")
    with cluster_example().mlflow_server(f"sqlite:///{root}", root / "artifacts") as url:
        yield int(url.rpartition(":")[2])


@pytest.fixture
def proxy(server, tmp_path, monkeypatch):
    """The server behind a proxy, and a tracker on it."""
    monkeypatch.setattr(store, "PAUSE", 0.1)
    with Proxy(server) as between:
        tracker = tracker_in(tmp_path, uri=between.url)
        tracker.open()
        yield between, tracker


def log_epochs(run):
    """Seconds that it takes to log them all."""
    began = time.perf_counter()
    for epoch in EPOCHS:
        run.metrics({"loss": 1 / epoch, "auc": epoch}, step=epoch)
    return time.perf_counter() - began


def written(run):
    history = MlflowClient().get_metric_history(run.run_id, "auc")
    return [(point.step, point.value) for point in history]


def test_a_slow_server_holds_nothing_up(proxy):
    between, tracker = proxy
    with tracker.run("one", params={}, tags={}) as run:
        between.delay = lambda: SLOW
        assert log_epochs(run) < SLOW
        between.delay = None
    assert written(run) == [(epoch, epoch) for epoch in EPOCHS]


def test_nothing_is_lost_to_a_server_that_was_away(proxy):
    between, tracker = proxy
    with tracker.run("one", params={}, tags={}) as run:
        run.metrics({"auc": 0}, step=0)
        between.away.set()
        log_epochs(run)
        threading.Timer(1, between.away.clear).start()
    assert written(run) == [(epoch, epoch) for epoch in range(21)]
    assert status(run.run_id) == "FINISHED"


def interrupted(tracker, *, away=None):
    """A run that Ctrl-C ends with a metric under way; `away` is set before it is logged."""
    with contextlib.suppress(KeyboardInterrupt), tracker.run("one", params={}, tags={}) as run:
        if away:
            away.set()
        run.metrics({"auc": 1}, step=1)
        raise KeyboardInterrupt
    return run


def test_an_interrupted_run_waits_a_while_for_its_metrics(proxy, monkeypatch, capfd):
    between, tracker = proxy
    monkeypatch.setattr(tracked_run, "ENDING", 0.5)
    run = interrupted(tracker)
    assert (written(run), status(run.run_id)) == ([(1, 1)], "KILLED")
    run = interrupted(tracker, away=between.away)
    between.away.clear()
    assert status(run.run_id) == "RUNNING"  # until the next command
    tracker.open()
    assert status(run.run_id) == "KILLED"
    assert "1 values of metrics could not be written" in " ".join(capfd.readouterr().err.split())
