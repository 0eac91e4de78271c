"""The folder of results: another one for another target, set, or command."""

from pathlib import Path

from tripletlab.experiment.results_folder import results_folder


def test_a_target_and_a_set_have_a_folder_of_their_own():
    assert results_folder(Path("runs"), "champion", "lfw") == Path("runs/evaluations/champion-lfw")
    targets = ["champion", "1f2e3d4c", *(f"/home/ann/{'deep/' * 9}emb_{end}.npy" for end in "ab")]
    labels = ["lfw", "lfw-flip", "set", "set-identification"]
    folders = {results_folder(Path("runs"), what, one) for what in targets for one in labels}
    assert len(folders) == len(targets) * len(labels)
