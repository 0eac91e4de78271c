"""What `import tripletlab` offers a notebook."""

import subprocess
import sys

import pytest

import tripletlab


def test_the_import_is_light_and_every_name_is_there():
    code = "import tripletlab, sys; assert not {'keras', 'cv2', 'numpy'} & set(sys.modules);"
    code += "print(*[getattr(tripletlab, name) is not None for name in tripletlab.__all__])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"True"}
    assert {"load", "verify", "TripletLoss"} <= set(dir(tripletlab))


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(AttributeError, match="TripletLoss"):
        tripletlab.TripletLos  # noqa: B018
