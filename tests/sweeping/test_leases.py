import pytest

from tripletlab.errors import InputError
from tripletlab.sweeping.leases import Lease, leases


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


def test_hundredths_of_gpus_are_leased_without_rounding_errors():
    """Such as .29 × 100, which is 28.999999999999996, and .07 × 100, which is 7.000000000000001."""
    for hundredths in range(1, 100):
        found = leases(
            100, cores=[0], gpus=list(map(str, range(hundredths))), share=hundredths / 100
        )
        starts = [int(one.gpus[0]) for one in found]
        assert starts == [worker * hundredths // 100 for worker in range(100)]
