"""What a fit reports while it goes on: to the screen, to MLflow, and to whoever follows the run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tripletlab.experiment.snapshots import Embeddings, Snapshot
from tripletlab.system.progress import say
from tripletlab.tracking import TrackedRun


class Follower(Protocol):
    """What follows a run from outside; an exception that it raises ends the run."""

    def began(self, run_id: str) -> None:
        """The run exists in MLflow."""

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch ended; the first is 1."""


@dataclass(frozen=True)
class RunReport:
    """Advances the bar by each batch; prints and logs each epoch, and keeps a snapshot of it."""

    name: str
    run: TrackedRun
    advance: Callable[[int], None]
    embed_map: Callable[[], Embeddings]  # of the map's faces, by the weights of the epoch
    follower: Follower | None
    snapshots: list[Snapshot] = field(default_factory=list)

    def step(self) -> None:
        """A batch was trained on."""
        self.advance(1)

    def resumed(self, epochs: Sequence[Mapping[str, float]]) -> None:
        """The fit begins after these epochs."""
        self.run.complete_metrics(epochs)
        if epochs:
            say(f"{self.name} continues after epoch {len(epochs)}")

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch ended; the first is 1."""
        self.run.metrics(metrics, step=epoch)
        self.snapshots.append(Snapshot(epoch, self.embed_map()))
        say(
            f"{self.name}, epoch {epoch}: loss {metrics['train/loss']:.4f},"
            f" {metrics['train/active']:.0%} active,"
            f" validation AUC {metrics['val/auc']:.3f},"
            f" {metrics['train/images_per_second']:,.0f} images/s"
        )
        if self.follower:
            self.follower.epoch(epoch, metrics)
