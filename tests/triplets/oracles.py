"""Miners as plain searches, pair by pair and face by face."""

import numpy as np


def negatives(distances, labels, anchor):
    """Nearest first, the lower batch index first where two are as near."""
    found = [
        n
        for n in range(len(labels))
        if labels[n] != labels[anchor] and np.isfinite(distances[anchor, n])
    ]
    return sorted(found, key=lambda n: (distances[anchor, n], n))


def valid(kind, distances, labels, anchor, positive, margin):
    """The negatives of a pair that are of the kind, nearest first."""
    there = distances[anchor, positive]
    limit = np.float32(there + np.float32(margin))
    wanted = {
        "hard": lambda d: d < there,
        "batch_hard": lambda d: True,
        "semihard": lambda d: there < d < limit,
        "violating": lambda d: d < limit,
    }[kind]
    if not np.isfinite(there):
        return []
    return [n for n in negatives(distances, labels, anchor) if wanted(distances[anchor, n])]


def all_pairs(distances, labels):
    """Every unordered pair of one identity, the lower index first."""
    size = range(len(labels))
    return [(a, p) for a in size for p in size if a < p and labels[a] == labels[p]]


def one_positive(distances, labels, *, farthest):
    """Every face with its farthest or nearest finite positive."""
    pairs = []
    for a in range(len(labels)):
        positives = [
            p
            for p in range(len(labels))
            if p != a and labels[p] == labels[a] and np.isfinite(distances[a, p])
        ]
        if positives:
            sign = -1 if farthest else 1
            pairs.append((a, min(positives, key=lambda p: (sign * distances[a, p], p))))
    return pairs


def weights(distances, labels, anchor, *, dim, nearest, farthest):
    """1/q(d) of Wu et al. for every face, zero where it cannot be drawn; in double precision."""
    shares = np.zeros(len(labels))
    for n in negatives(distances, labels, anchor):
        squared = float(distances[anchor, n])
        if squared < farthest:
            d = np.sqrt(max(squared, nearest))
            shares[n] = 1 / (d ** (dim - 2) * (1 - d * d / 4) ** ((dim - 3) / 2))
    return shares


def every_triplet(distances, labels, loss, margin):
    """Losses of all triplets of finite distances."""
    return [
        loss(distances[a, p], distances[a, n], margin)
        for a, p in all_pairs(distances, labels)
        if np.isfinite(distances[a, p])
        for n in negatives(distances, labels, a)
    ]
