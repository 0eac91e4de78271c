"""Miners: choose the triplets of a batch (paper, section II.B).

The contract of a miner: `miner(distances, labels, margin=…, draws=…) -> Mined | Every`

- `distances` (batch, batch) float: squared, without gradient; `labels` (batch,) int.
- `draws` (batch, batch) float in [0, 1): the randomness, so that a miner itself is pure.
- Every two faces of one identity are a pair, whose anchor is the lower batch index; except for
  `batch_hard` and `easy_positive`, where every face is an anchor with one positive.
- Each pair gets one negative; except for `batch_all`, where it gets all.
- All inequalities are strict: a tie is of neither kind. Of equal distances the lower batch index
  comes first.
- A pair without a valid negative is not kept, nor is one whose distance is not finite; faces at
  such a distance are no negatives either.
- Shapes depend only on the batch size; memory is O(batch²) (see `Every` for batch_all's).
- A batch of one identity, of one photo each, or of coinciding embeddings keeps what triplets there
  are, possibly none; nothing fails.

Each kind of negative is a range of the anchor's negatives in order of distance, so that a uniform
choice among the valid ones takes two ranks and one draw, and no (batch, batch, batch) tensor.
"""

from typing import Annotated, Protocol

from keras import KerasTensor, ops
from pydantic import Field

from tripletlab.triplets.pairs import (
    Everywhere,
    Places,
    count_below,
    negative_pairs,
    one_positive,
    places,
    positive_pairs,
    sorted_negatives,
)
from tripletlab.triplets.triplets import Every, Mined


class Miner(Protocol):
    """A function with the contract above."""

    def __call__(
        self,
        distances: KerasTensor,
        labels: KerasTensor,
        *,
        margin: KerasTensor | float,
        draws: KerasTensor,
    ) -> Mined | Every: ...


def semihard(
    distances: KerasTensor, labels: KerasTensor, *, margin: KerasTensor | float, draws: KerasTensor
) -> Mined:
    """Negatives farther than the positive within the margin: d(a,p) < d(a,n) < d(a,p) + margin."""
    return _semihard(positive_pairs(labels), distances, labels, margin=margin, draws=draws)


def nearest_semihard(
    distances: KerasTensor, labels: KerasTensor, *, margin: KerasTensor | float, draws: KerasTensor
) -> Mined:
    """The nearest of the semi-hard negatives (FaceNet, section 3.2). `draws` is unused."""
    pairs, first = positive_pairs(labels), ops.zeros_like(distances)
    return _semihard(pairs, distances, labels, margin=margin, draws=first)


def hard(
    distances: KerasTensor, labels: KerasTensor, *, margin: KerasTensor | float, draws: KerasTensor
) -> Mined:
    """Negatives nearer than the positive: d(a,n) < d(a,p). `margin` is unused."""
    return _nearest(positive_pairs(labels), distances, labels, below=distances, draws=draws)


def violating(
    distances: KerasTensor, labels: KerasTensor, *, margin: KerasTensor | float, draws: KerasTensor
) -> Mined:
    """Negatives that violate the margin, hard and semi-hard alike: d(a,n) < d(a,p) + margin.

    The facenet and OpenFace implementations train with these; unlike hard negatives alone, they
    depend on the margin.
    """
    pairs = positive_pairs(labels)
    return _nearest(pairs, distances, labels, below=distances + margin, draws=draws)


def batch_hard(
    distances: KerasTensor, labels: KerasTensor, *, margin: KerasTensor | float, draws: KerasTensor
) -> Mined:
    """Every anchor's farthest positive and nearest negative (Hermans et al., 2017, equation 5).

    `margin` and `draws` are unused.
    """
    pairs = one_positive(distances, labels, farthest=True)
    infinite, first = ops.full_like(distances, float("inf")), ops.zeros_like(distances)
    return _nearest(pairs, distances, labels, below=infinite, draws=first)


def easy_positive(
    distances: KerasTensor, labels: KerasTensor, *, margin: KerasTensor | float, draws: KerasTensor
) -> Mined:
    """Every anchor's nearest positive, and the nearest semi-hard negative of this pair.

    A person's photos need not all lie close together, only in a chain (Xuan et al., Improved
    Embeddings with Easy Positive Triplet Mining, 2020). `draws` is unused.
    """
    pairs = one_positive(distances, labels, farthest=False)
    return _semihard(pairs, distances, labels, margin=margin, draws=ops.zeros_like(distances))


def distance_weighted(
    distances: KerasTensor,
    labels: KerasTensor,
    *,
    margin: KerasTensor | float,
    draws: KerasTensor,
    dim: Annotated[int, Field(ge=3)],
    nearest: Annotated[float, Field(gt=0, le=1)],
    farthest: Annotated[float, Field(gt=1, lt=4)],
) -> Mined:
    """Negatives drawn uniformly over their distances (Wu et al., Sampling Matters, 2017).

    Most pairs of points on a sphere in `dim` dimensions have a squared distance of about 2: each
    negative is drawn in inverse proportion to the density of its distance there. Below the squared
    distance `nearest` the weight no longer grows; from `farthest` on none is drawn. `margin` is
    unused.
    """
    usable = ops.logical_and(negative_pairs(labels), distances < farthest)  # false for NaN
    squared = ops.where(usable, ops.maximum(distances, nearest), 1.0)
    weights = -(dim - 2) / 2 * ops.log(squared) - (dim - 3) / 2 * ops.log(1 - squared / 4)
    weights = ops.where(usable, weights, -float("inf"))
    top = ops.max(weights, axis=1, keepdims=True)
    weights = ops.where(usable, ops.exp(weights - top), 0.0)
    shares = ops.cumsum(weights, axis=1)  # (batch, batch)
    pairs = positive_pairs(labels)
    at = places(pairs)
    asked = at.values(draws * shares[:, -1:])
    drawn = at.matrix(count_below(shares, asked, inclusive=True, at=at))
    place = ops.arange(ops.shape(labels)[0], dtype="int32")[None, :]
    last = ops.max(ops.where(weights > 0, place, -1), axis=1, keepdims=True)  # -1: none is usable
    kept = ops.logical_and(ops.logical_and(pairs, last >= 0), ops.isfinite(distances))
    return Mined(ops.where(kept, ops.minimum(drawn, last), 0), pairs, kept)


def batch_all(
    distances: KerasTensor, labels: KerasTensor, *, margin: KerasTensor | float, draws: KerasTensor
) -> Every:
    """Every pair with every negative; the loss is the mean over the active triplets
    (Hermans et al., 2017, "batch all ≠ 0"). `margin` and `draws` are unused."""
    finite = ops.isfinite(distances)
    return Every(
        ops.logical_and(positive_pairs(labels), finite),
        ops.logical_and(negative_pairs(labels), finite),
    )


def given(
    distances: KerasTensor, labels: KerasTensor, *, margin: KerasTensor | float, draws: KerasTensor
) -> Mined:
    """The triplets that the batch was built from: its thirds are anchors, positives, negatives.

    For offline mining; the batch size is a multiple of 3. `labels`, `margin` and `draws` are
    unused."""
    third = distances.shape[0] // 3
    place = ops.arange(3 * third, dtype="int32")
    anchor, positive = place[:, None], place[None, :]
    pairs = ops.logical_and(anchor < third, ops.equal(positive, anchor + third))
    kept = ops.logical_and(pairs, ops.isfinite(distances))
    return Mined(ops.where(kept, anchor + 2 * third, 0), pairs, kept)


def _nearest(
    pairs: KerasTensor,
    distances: KerasTensor,
    labels: KerasTensor,
    *,
    below: KerasTensor,
    draws: KerasTensor,
) -> Mined:
    """Choose among each pair's negatives at a distance of less than `below` (batch, batch)."""
    at, (nearest_first, order) = places(pairs), sorted_negatives(distances, labels)
    stop = count_below(nearest_first, at.values(below), inclusive=False, at=at)
    return _choose(pairs, at, distances, order, ops.zeros_like(stop), stop, draws)


def _semihard(
    pairs: KerasTensor,
    distances: KerasTensor,
    labels: KerasTensor,
    *,
    margin: KerasTensor | float,
    draws: KerasTensor,
) -> Mined:
    at, (nearest_first, order) = places(pairs), sorted_negatives(distances, labels)
    positive = at.values(distances)
    start = count_below(nearest_first, positive, inclusive=True, at=at)
    stop = count_below(nearest_first, positive + margin, inclusive=False, at=at)
    return _choose(pairs, at, distances, order, start, stop, draws)


def _choose(
    pairs: KerasTensor,
    at: Places | Everywhere,
    distances: KerasTensor,
    order: KerasTensor,
    start: KerasTensor,
    stop: KerasTensor,
    draws: KerasTensor,
) -> Mined:
    """Choose uniformly among ranks [start, stop) of each anchor's negatives; a draw of 0 chooses
    the nearest. The ranks are those `at` the pairs."""
    valid, drawn = stop - start, at.values(draws)
    rank = start + ops.cast(drawn * ops.cast(valid, drawn.dtype), "int32")
    rank = ops.maximum(ops.minimum(rank, stop - 1), 0)  # a draw may round up to 1
    kept = ops.logical_and(valid > 0, ops.isfinite(at.values(distances)))
    chosen = ops.where(kept, at.along(order, rank), 0)
    kept = ops.logical_and(pairs, at.matrix(ops.cast(kept, "int32")) > 0)
    return Mined(ops.where(kept, at.matrix(chosen), 0), pairs, kept)
