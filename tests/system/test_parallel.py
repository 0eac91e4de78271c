"""Maps over cores, and the preparation on a Ray cluster of two nodes (TRIPLETLAB_CLUSTER=1)."""

import os
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.experiment.data import prepare
from tripletlab.system.parallel import (
    _parts,
    check_reachable,
    cluster,
    local,
    parallel_map,
    stream,
    workers,
)


def double(number):
    return 2 * number


def test_work_comes_back_in_order_and_as_it_is_done():
    with local():
        assert parallel_map(double, range(9), title="doubling", size=lambda _: 1) == list(
            range(0, 18, 2)
        )
        done = stream(double, range(9), title="doubling", size=lambda _: 1)
        assert sorted(done) == list(range(0, 18, 2))
        assert parallel_map(double, [], title="nothing", size=lambda _: 1) == []


def test_what_cannot_be_streamed_comes_in_stretches():
    with workers(backend="threading", n_jobs=2):
        done = stream(double, range(9), title="doubling", size=lambda _: 900)
        assert sorted(done) == list(range(0, 18, 2))
    assert list(map(list, _parts([3, 4, 5, 1, 9], int, most=7))) == [[3, 4], [5, 1, 9], []]


def test_the_size_of_an_item_is_asked_for_once():
    asked = []
    list(_parts(range(100), lambda item: asked.append(item) or 1, most=1000))
    assert asked == list(range(100))


def fail(number):
    if number == 3:
        raise ValueError("the third")
    return number


@pytest.mark.parametrize("backend", ["loky", "threading", "sequential"])
def test_an_error_of_the_work_ends_the_map(backend):
    with workers(backend=backend, n_jobs=2):
        assert parallel_map(fail, [1, 2], title="t", size=lambda _: 1) == [1, 2]
        with pytest.raises(ValueError, match="the third"):
            parallel_map(fail, range(9), title="t", size=lambda _: 1)


MAP = """
import os, time
from tripletlab.system.parallel import parallel_map
def work(path):
    open(f"{path}/{os.getpid()}", "w").close()
    time.sleep(60)
parallel_map(work, [os.environ["PIDS"]] * 2, title="", size=lambda _: 1)
"""


def test_workers_end_soon_after_a_killed_parent(tmp_path):
    environment = {**os.environ, "PIDS": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", MAP], env=environment, stderr=subprocess.DEVNULL
    ) as parent:
        while not (pids := [int(path.name) for path in tmp_path.iterdir()]):
            time.sleep(0.05)
        parent.kill()
    end = time.monotonic() + 20
    while any(map(_runs, pids)):
        assert time.monotonic() < end
        time.sleep(0.1)


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def refuse(**settings):
    raise ConnectionError("no such cluster\nsee elsewhere")


def test_an_address_where_nothing_listens_fails_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
        with pytest.raises(OSError, match="refused"):
            check_reachable(f"127.0.0.1:{number}")
        free.listen()
        check_reachable(f"127.0.0.1:{number}")
    for other in (None, "auto", "local", "ray://127.0.0.1:1"):  # left to Ray
        check_reachable(other)


@pytest.mark.parametrize("installed", [True, False])
def test_without_a_cluster_there_is_one_line(installed, monkeypatch):
    ray = SimpleNamespace(init=refuse) if installed else None  # an extra: seldom installed
    monkeypatch.setitem(sys.modules, "ray", ray)
    hint = (
        "ray start --head"
        if installed
        else r"pip install -e '\.\[cluster\]' in tripletlab's folder"
    )
    with pytest.raises(InputError, match=hint) as error, cluster(address="auto"):
        pass
    assert "\n" not in str(error.value)


@pytest.mark.timeout(900)
@pytest.mark.skipif(
    "TRIPLETLAB_CLUSTER" not in os.environ, reason="asked for by TRIPLETLAB_CLUSTER=1"
)
def test_two_nodes_prepare_the_same_faces(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    asked = ["photos.people=24", "photos.photos=6", "verification.people=40", "faces=cleaned"]
    asked += ["verification.per_fold=5", "faces.min_photos=3"]
    asked += [f"{noun}.folder={tmp_path}" for noun in ("photos", "verification")]
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        nodes.add_node(num_cpus=1)
        plains = [
            config.compose("prepare", [*asked, f"data={tmp_path / where}", *more])
            for where, more in (
                ("local", []),
                ("cluster", ["preparation=ray", f"preparation.address={nodes.address}"]),
            )
        ]
        here, there = (prepare(plain, fresh=False) for plain in plains)
    finally:
        nodes.shutdown()
    print("local", here.faces.fingerprint, "two nodes", there.faces.fingerprint)
    assert there.faces.fingerprint == here.faces.fingerprint
    assert there.pairs.fingerprint == here.pairs.fingerprint
    assert there.faces.path.read_bytes() == here.faces.path.read_bytes()
