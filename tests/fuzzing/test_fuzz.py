"""Damaged files of every kind are accepted or refused in a line; nothing crashes, hangs or runs.

`make fuzz` runs the whole campaign, a short one is part of `make test`. An input is named by its
target and number: `python -m tests.fuzzing.campaign TARGET NUMBER NUMBER+1` reads it again.
"""

import pytest

from tests.fuzzing import campaign
from tests.fuzzing.targets import TARGETS

QUICK = {  # how many of each; these readers need no seconds of imports, and start in one process
    **dict.fromkeys(("faces.h5", "pairs.h5", "pairs.txt", "a gallery", "photos"), 25),
    **dict.fromkeys(("pairs_CALFW.txt", "AgeDB's protocol", "packed pairs (.bin)"), 25),
    **dict.fromkeys(("a run's distances", "a run's people", "lists of people"), 25),
}


@pytest.mark.parametrize("name", QUICK)
def test_some_damaged_files_are_read_or_refused(name, tmp_path, monkeypatch):
    """In this process: a crash would end the tests, and nothing limits memory."""
    monkeypatch.chdir(tmp_path)
    target = TARGETS[name]
    seeds = target.seeds(tmp_path)
    outcomes = [
        campaign.outcome(target, campaign.make_input(name, target, seeds, number), tmp_path)
        for number in range(QUICK[name])
    ]
    bad = [one for one in outcomes if one[0] not in (campaign.ACCEPTED, campaign.REFUSED)]
    assert not bad
    assert any(kind == campaign.REFUSED for kind, _ in outcomes)
    assert target.read(seeds[0], tmp_path) is not None


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", TARGETS)
def test_every_damaged_file_is_read_or_refused(name, capsys):
    counts, bad = campaign.run(name, 0, TARGETS[name].count)
    with capsys.disabled():
        print(f"\n{name:22}", *(f"{count:5} {kind}" for kind, count in sorted(counts.items())))
    assert counts.total() == TARGETS[name].count
    assert not bad, "\n".join(bad)
