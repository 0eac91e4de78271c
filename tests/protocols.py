"""Verification sets in the forms in which others publish them, written for one test."""

import struct

import numpy as np
from scipy.io import savemat


def two_lines(pairs):
    """A list as CALFW's and CPLFW's: (first, second, label) in two lines each."""
    return "".join(f"{photo} {label}\n" for *photos, label in pairs for photo in photos)


def write_agedb(path, splits, **options):
    """AgeDB's protocol: for each split (first, second, label), the names without suffix."""
    cell = np.empty((len(splits), 1), object)
    for row, pairs in enumerate(splits):
        photos = np.empty((2, len(pairs)), object)
        for column, pair in enumerate(pairs):
            for side in (0, 1):
                photos[side, column] = {"name": pair[side], "age": 30.0}
        labels = np.array([[label for *_, label in pairs]], np.int16)
        cell[row, 0] = {"pairs": photos, "labels": labels}
    savemat(path, {"splits": cell}, **options)


def python2_pickle(photos, matched, *, arrays):
    """What Python 2's `pickle.dump((bins, issame_list), file, protocol=2)` writes.

    The photos are bytes, or arrays of bytes (n, 1) as of `cv2.imencode`.
    """
    items = b"".join(map(_array if arrays else _bytes, photos))
    flags = b"".join(b"\x88" if one else b"\x89" for one in matched)
    return b"\x80\x02](" + items + b"e](" + flags + b"e\x86q\x00."


def _bytes(content):
    return b"T" + struct.pack("<i", len(content)) + content


def _array(content):
    shape = b"M" + struct.pack("<H", len(content)) + b"K\x01\x86"
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN" + 2 * b"J\xff\xff\xff\xff"
    new = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    return new + b"(K\x01" + shape + dtype + b"K\x00tb\x89" + _bytes(content) + b"tb"
