"""How fast each network learns and embeds, beside the others on one machine at one time.

    python benchmarks/network_speed.py [ROUNDS] [NETWORK …]

Each round gives every network one training step (16 people × 4 photos, mining included) and one
batch of 256 to embed; a neighbour on the machine slows all of them alike. Printed are medians over
the rounds, and how they compare with nn4_small2_half in the same round. Weights are untrained, the
faces noise: neither changes the work.
"""

import statistics
import sys
from collections.abc import Callable

import numpy as np
from harness import timed

from tripletlab import config
from tripletlab.system.progress import bar
from tripletlab.training import backend

BASE = "nn4_small2_half"
FACES, SIZE = 64, 64


def main(rounds: int, names: list[str]) -> None:
    """Time, and print a table."""
    backend.load()
    backend.start(seed=1)
    names = list(dict.fromkeys([BASE, *(names or config.groups()["architecture"])]))
    made = {name: network(name) for name in names}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    with bar("one of each", total=rounds * len(names)) as advance:
        for _ in range(rounds):
            for name in names:
                train, embed, _, _ = made[name]
                seconds[name].append((timed(train), timed(embed)))
                advance(1)
    print(
        "| network | parameters | MFLOP | training images/s | ratio | inference images/s | ratio |"
    )
    print("|---|" + "---:|" * 6)
    for name in sorted(names, key=lambda one: made[one][3]):
        speeds = [figures(seconds[name], seconds[BASE], side) for side in (0, 1)]
        _, _, parameters, flops = made[name]
        print(f"| {name} | {parameters:,} | {flops / 1e6:.1f} | {' | '.join(speeds)} |")


def network(name: str) -> tuple[Callable[[], None], Callable[[], None], int, int]:
    """What trains it by a batch, what embeds a batch, its parameters and its operations."""
    from tripletlab.architectures.operations import flops
    from tripletlab.training.inference import BATCH, embed
    from tripletlab.training.model import TripletModel
    from tripletlab.training.rates import scheduled

    plain = config.compose("train", [f"architecture={name}"])
    nouns = {noun: getattr(plain, noun).build() for noun in ("miner", "loss", "regularizer")}
    embedder = plain.architecture.build(input_size=SIZE)
    model = TripletModel(embedder, margin=plain.margin, batch_size=FACES, seed=1, **nouns)
    schedule = plain.rate_schedule.build()
    optimizer = scheduled(plain.optimizer.build(), schedule, steps=1000)
    model.compile(optimizer=optimizer, jit_compile=backend.jit_compile())
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (BATCH, SIZE, SIZE)).astype(np.uint8)
    labels = np.repeat(np.arange(FACES // 4), 4).astype(np.int32)

    def train() -> None:
        model.train_on_batch(faces[:FACES, ..., None], labels)

    def infer() -> None:
        embed(embedder, faces)

    for once in (train, infer, train):  # the first compiles
        once()
    return train, infer, embedder.count_params(), flops(embedder)


def figures(own: list[tuple[float, float]], base: list[tuple[float, float]], side: int) -> str:
    """Images a second, and the median over rounds of the speed relative to the base's."""
    images = (FACES, 256)[side]
    speed = images / statistics.median(one[side] for one in own)
    ratio = statistics.median(b[side] / o[side] for o, b in zip(own, base, strict=True))
    return f"{speed:,.0f} | {ratio:.2f}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15, sys.argv[2:])
