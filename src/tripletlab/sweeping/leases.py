"""Cores and GPUs, shared out among workers so that none uses another's."""

import math
import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from tripletlab.errors import InputError


class Lease(NamedTuple):
    """What one worker may use."""

    cores: tuple[int, ...]
    gpus: tuple[str, ...]

    def take(self) -> None:
        """Bind this process to it; call it before a library counts cores or GPUs."""
        if self.cores and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, self.cores)
        os.environ["OMP_NUM_THREADS"] = str(max(1, len(self.cores)))
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(self.gpus)
        # Else the first of the workers that share a GPU would take all its memory
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


def leases(workers: int, *, cores: Sequence[int], gpus: Sequence[str], share: float) -> list[Lease]:
    """A lease for each worker: an equal part of the cores, and `share` GPUs where there are any.

    A share below 1 spreads the workers evenly over the GPUs. With fewer cores than workers, some
    share one.
    """
    if share > 1 and share != int(share):
        raise InputError(f"engine.gpus={share:g}: a worker has whole GPUs, or a part of one")
    if gpus and round(workers * share, 9) > len(gpus):
        fits = math.floor(min(len(gpus) / workers, 1) * 1000) / 1000
        raise InputError(
            f"engine.workers={workers} with engine.gpus={share:g} need {workers * share:g} GPUs,"
            f" and there are {len(gpus)}; give engine.gpus={fits:g}"
        )
    found = []
    for worker in range(workers):
        first = worker * len(cores) // workers
        own = cores[first : max((worker + 1) * len(cores) // workers, first + 1)]
        start = worker * int(share) if share >= 1 else worker * len(gpus) // workers
        found.append(Lease(tuple(own), tuple(gpus[start : start + max(1, int(share))])))
    return found


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [one for one in named.split(",") if one not in ("", "-1")]
    if shutil.which("nvidia-smi") is None:
        return []
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    count = sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
    return [str(number) for number in range(count)]
