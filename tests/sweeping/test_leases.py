import subprocess
import sys

import pytest

from tripletlab.errors import InputError
from tripletlab.sweeping.leases import Lease, leases, visible_gpus


def test_cores_are_shared_out_and_none_is_in_two_leases():
    assert leases(2, cores=[0, 1, 2, 3, 4], gpus=[], share=1) == [
        Lease((0, 1), ()),
        Lease((2, 3, 4), ()),
    ]
    assert leases(1, cores=[0, 1], gpus=[], share=1) == [Lease((0, 1), ())]


def test_more_workers_than_cores_share_them():
    assert [one.cores for one in leases(3, cores=[0, 1], gpus=[], share=1)] == [(0,), (0,), (1,)]


def test_gpus_are_leased_whole_or_in_part():
    assert [one.gpus for one in leases(2, cores=[0], gpus=["0", "1"], share=1)] == [("0",), ("1",)]
    halves = leases(4, cores=[0], gpus=["0", "1"], share=0.5)
    assert [one.gpus for one in halves] == [("0",), ("0",), ("1",), ("1",)]
    assert leases(1, cores=[0], gpus=["4", "5"], share=2)[0].gpus == ("4", "5")


def test_too_few_gpus():
    with pytest.raises(InputError, match=r"engine.gpus=0.5"):
        leases(4, cores=[0], gpus=["0", "1"], share=1)


@pytest.mark.parametrize(("workers", "gpus"), [(3, 2), (7, 3), (3, 8)])
def test_the_advice_for_too_large_a_share_is_accepted(workers, gpus):
    names = list(map(str, range(gpus)))
    with pytest.raises(InputError) as refused:
        leases(workers, cores=[0], gpus=names, share=9)
    share = float(str(refused.value).rpartition("=")[2])
    assert len(leases(workers, cores=[0], gpus=names, share=share)) == workers


def test_workers_are_spread_evenly_over_gpus():
    found = leases(3, cores=[0], gpus=["0", "1"], share=0.4)
    assert [one.gpus for one in found] == [("0",), ("0",), ("1",)]


def test_one_gpu_and_a_half_is_refused():
    with pytest.raises(InputError, match=r"engine.gpus=1.5: a worker has whole GPUs"):
        leases(1, cores=[0], gpus=["0", "1"], share=1.5)


def test_hundredths_of_gpus_are_leased_without_rounding_errors():
    """Such as .29 × 100, which is 28.999999999999996, and .07 × 100, which is 7.000000000000001."""
    for hundredths in range(1, 100):
        found = leases(
            100, cores=[0], gpus=list(map(str, range(hundredths))), share=hundredths / 100
        )
        starts = [int(one.gpus[0]) for one in found]
        assert starts == [worker * hundredths // 100 for worker in range(100)]


@pytest.mark.parametrize(
    ("named", "found"),
    [("0,1", ["0", "1"]), ("GPU-ab12", ["GPU-ab12"]), ("", []), ("-1", []), ("2,-1", ["2"])],
)
def test_the_environment_says_which_gpus_are_visible(named, found, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert visible_gpus() == found


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ("GPU 0: H100 (UUID: GPU-a)\nGPU 1: H100 (UUID: GPU-b)\n", ["0", "1"]),
        ("GPU 0: H100 (UUID: GPU-a)\n  MIG 1g Device 0: (UUID: MIG-c)\n", ["0"]),
        ("No devices were found\n", []),
    ],
)
def test_without_it_the_driver_does(listed, found, tmp_path, monkeypatch):
    """A program of that name stands in for the driver's."""
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\nprintf '{listed}'\n")
    program.chmod(0o755)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus() == found
    program.unlink()
    assert visible_gpus() == []


def test_a_worker_that_takes_its_lease_has_no_more_than_that():
    code = (
        "import os, sys; from tripletlab.sweeping.leases import *\n"
        "from tripletlab.system.processor import visible_cores\n"
        "core = visible_cores()[0]\n"
        "Lease((core,), sys.argv[1:]).take()\n"
        "print(visible_cores() == [core], visible_gpus(), os.environ['OMP_NUM_THREADS'])"
    )
    for gpus in ([], ["3"]):
        command = [sys.executable, "-c", code, *gpus]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == f"True {gpus} 1\n"
