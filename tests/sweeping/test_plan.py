"""The plan of a sweep: its command line, and the config of each of its runs."""

import os
import re
import subprocess
import sys

import pytest

from tests.imports import imported_by
from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.sweeping.plan import read_plan
from tripletlab.sweeping.sweep import _print_trials
from tripletlab.system import processor


def test_a_runs_config_is_what_hydra_composes():
    plan = read_plan(["conditional", "fit.epochs=2", "optimizer=adam_paper"])
    for point in plan.space.cells():
        words = [config.override(key, value) for key, value in point.items()]
        expected = config.compose(
            "train", ["fit.epochs=2", "optimizer=adam_paper", "dtype=auto", *words, "seed=9"]
        )
        assert plan.run_config(point, 9) == expected


def test_runs_do_not_share_their_configs():
    plan = read_plan(["margin_miner"])
    one, other = (
        plan.run_config({"miner": "hard", "margin": margin}, None) for margin in (0.1, 0.3)
    )
    assert (one.margin, other.margin) == (0.1, 0.3)


@pytest.mark.parametrize(
    ("words", "dtype"),
    [([], "mixed_bfloat16"), (["dtype=float32"], "float32"), (["precision"], "mixed_bfloat16")],
)
def test_a_sweep_computes_in_what_the_processor_is_fast_in_and_says_so(monkeypatch, words, dtype):
    monkeypatch.setattr(processor, "instructions", lambda: {"avx512_bf16"})
    plan = read_plan(words)
    assert plan.base.dtype == dtype
    shown = "." if "precision" in words else f", in {dtype}."
    assert f"faces{shown}\n" in plan.outline(workers=1)
    runs = {plan.run_config(point, None).dtype for point in plan.space.cells()}
    assert runs == ({"float32", "mixed_bfloat16"} if "precision" in words else {dtype})


def test_an_axis_that_is_no_key_is_refused(tmp_path):
    (tmp_path / "s.yaml").write_text("axes: {marign: [0.1, 0.2]}")
    with pytest.raises(InputError, match="did you mean margin"):
        read_plan([str(tmp_path / "s.yaml")]).check()


def test_a_key_that_not_every_choice_of_an_axis_has_is_refused(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("axes: {regularizer: [spread, none], regularizer.weight: [0.1, 0.2]}")
    with pytest.raises(InputError, match=r"regularizer.weight: no such key .*'none'.*`when`"):
        read_plan([str(path)]).check()
    path.write_text(
        "axes: {regularizer: [spread, none],"
        " regularizer.weight: {values: [0.1, 0.2], when: {regularizer: spread}}}"
    )
    read_plan([str(path)]).check()


@pytest.mark.parametrize(
    ("key", "axis"),
    [
        ("fit.epochs", "{low: 1, high: 2, step: 0.5}"),
        ("batches.people", "{low: 4.0, high: 8.0}"),
        ("batches.people", "{low: 4.0, high: 7.0}"),
    ],
)
def test_a_range_between_whole_ends_whose_other_values_a_key_does_not_take_is_refused(key, axis):
    plan = read_plan(["random", f"axes.{key}={axis}"])
    with pytest.raises(InputError, match=rf"{key}.*(integer|whole)"):
        plan.check()
    whole = axis.replace(".0", "").replace("step: 0.5", "step: 1")
    read_plan(["random", f"axes.{key}={whole}"]).check()


def test_the_order_of_axes_and_objectives_is_part_of_a_sweep(tmp_path):
    """The places of points, and the directions that Optuna keeps, follow it."""
    recipes = set()
    for axes in ("miner: [hard], margin: [0.2, 0.4]", "margin: [0.2, 0.4], miner: [hard]"):
        for objectives in (
            "cost/flops: minimize, val/best_auc: maximize",
            "val/best_auc: maximize, cost/flops: minimize",
        ):
            path = tmp_path / "s.yaml"
            path.write_text(f"axes: {{{axes}}}\nobjectives: {{{objectives}}}")
            recipes.add(read_plan([str(path)]).recipe())
    assert len(recipes) == 4


def test_epochs_as_an_axis_are_counted_at_most():
    plan = read_plan(["margin_miner", "axes={fit.epochs: [4, 400]}"])
    assert "each at most 400 epochs" in plan.outline(workers=1)
    assert plan.minutes(runs=1, workers=1) > 10 * read_plan([]).minutes(runs=1, workers=1)


def test_batches_of_mined_triplets_have_three_faces_for_each():
    plan = read_plan(["margin_miner", "batches=offline", "batches.triplets=200"])
    assert "of 60 batches of 600 faces" in plan.outline(workers=1)
    longer = read_plan(["margin_miner", "batches=offline", "batches.triplets=2000"])
    assert longer.minutes(runs=1, workers=1) > 2 * plan.minutes(runs=1, workers=1)


@pytest.mark.parametrize(
    "key", ["faces/aligner", "faces.size", "photos.people", "hygiene.shared", "preparation"]
)
def test_an_axis_of_what_all_runs_share_is_refused(tmp_path, key):
    (tmp_path / "s.yaml").write_text(f"axes: {{{key}: [1, 2]}}")
    with pytest.raises(InputError, match="all runs of a sweep share"):
        read_plan([str(tmp_path / "s.yaml")])


def test_more_trials_are_the_same_sweep_and_another_config_is_not():
    plan = read_plan(["random"])
    assert read_plan(["random", "trials=50"]).recipe() == plan.recipe()
    assert read_plan(["random", "tracking.folder=elsewhere"]).recipe() == plan.recipe()
    assert read_plan(["random", "engine.workers=2", "retries=0"]).recipe() == plan.recipe()
    assert read_plan(["random", "preparation=ray"]).recipe() == plan.recipe()
    assert read_plan(["random", "fit.epochs=2"]).recipe() != plan.recipe()
    assert read_plan(["random", "axes.margin=[0.1]"]).recipe() != plan.recipe()


def test_another_way_to_write_a_value_is_the_same_sweep(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = read_plan(["data=data"]).recipe()
    assert read_plan(["data=./data"]).recipe() == recipe
    assert read_plan(["fit.epochs=12.0"]).recipe() == recipe
    own = ["photos=folder", "verification=heldout"]
    recipe = read_plan([*own, "photos.detected=[s/a]"]).recipe()
    assert read_plan([*own, f"photos.detected=[{tmp_path}/s/a/]"]).recipe() == recipe
    assert read_plan([*own, "photos.detected=[s/b]"]).recipe() != recipe


def test_words_go_to_the_space_or_to_the_config():
    plan = read_plan(["margin_miner", "axes.margin=[0.3]", "seeds=[1,2]", "fit.epochs=2"])
    assert plan.space.runs == 4
    assert plan.overrides == ("fit.epochs=2",)
    assert "with 2 workers" in plan.outline(workers=2)
    assert "each at most 2 epochs of 50 batches" in " ".join(plan.outline(workers=1).split())


def test_the_estimate_knows_the_processor(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
    plan, minutes = read_plan(["margin_miner"]), {}
    for flags in ("avx2", "avx2 avx512f"):
        processor.CPUINFO.write_text(f"flags : fpu {flags}\n")
        minutes[flags] = plan.minutes(runs=4, workers=1)
    assert minutes["avx2 avx512f"] < minutes["avx2"] / 2


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["objectives={test/auc: maximize}"], "test/auc is measured on the pairs that test"),
        (["objectives={val/best_acu:maximize}"], "did you mean val/best_auc"),
        (["objectives={auc: maximize}"], "did you mean val/best_auc"),
        (["objectives.val/best_auc=maximize"], "objectives.val/best_auc: not a key"),
        (["columns=[test/eer,flps]"], "did you mean cost/flops"),
        (["columns=[auc]"], "columns: auc is not one of them; did you mean test/auc"),
    ],
)
def test_metrics_are_checked_before_any_work(words, hint):
    with pytest.raises(InputError, match=hint):
        read_plan(["margin_miner", *words])


def test_a_sampler_is_tried_out_before_any_work():
    with pytest.raises(InputError, match="TPESampler refuses these arguments"):
        read_plan(["median", "sampler.n_ei_candidates=-4"]).check()


def test_averages_that_are_set_and_not_made_are_refused():
    set_only = ["optimizer.ema_momentum=0.9"]
    for words in (set_only, ["axes={optimizer.ema_momentum: [0.9, 0.99]}"]):
        with pytest.raises(InputError, match=r"no effect without optimizer\.use_ema=true"):
            read_plan(["margin_miner", *words]).check()
        read_plan(["margin_miner", *words, "optimizer.use_ema=true"]).check()
    read_plan(["margin_miner", *set_only, "axes.optimizer.use_ema=[true,false]"]).check()


def test_a_key_of_another_choice_has_no_internal_one_for_a_hint():
    words = ["cmaes", "regularizer=none", "axes.regularizer.weight={low: 0.1, high: 1.0}"]
    with pytest.raises(InputError, match=r"regularizer\.weight: no such key") as error:
        read_plan(words).check()
    assert "_target_" not in str(error.value)


def test_a_plan_is_printed_without_tensorflow(tmp_path):
    commands = (
        ["sweep", "--dry-run"],
        ["sweep", "tpe_hyperband", "--dry-run"],
        ["train", "--config"],
    )
    assert "tensorflow" not in imported_by(*commands, folder=tmp_path)


def test_an_ablation_changes_the_recipe_that_the_command_gives():
    plan = read_plan(["ablation", "margin=0.3", "miner=violating"])
    point = {"miner": "hard"}
    assert plan.run_config(point, 1) == config.compose(
        "train", ["margin=0.3", "miner=hard", "seed=1", "dtype=auto"]
    )
    assert plan.run_config({}, None).margin == 0.3


def test_a_change_that_changes_nothing_is_refused():
    with pytest.raises(InputError, match=r"margin=0.2 changes nothing in this recipe"):
        read_plan(["ablation", "ablation.margin=0.2"]).check()


@pytest.mark.parametrize(
    ("words", "left_out", "left"),
    [
        (["ablation", "+experiment=real"], ["regularizer=none"], 4),
        (["ablation", "+experiment=paper"], ["augmentation=none", "regularizer=none"], 3),
        (["tpe_hyperband", "+experiment=real"], ["regularizer.weight"], 3),
        (["cmaes", "regularizer=none"], ["regularizer.weight"], 2),
    ],
)
def test_what_a_spaces_file_has_and_the_recipe_does_not_need_is_left_out(
    words, left_out, left, capsys
):
    plan = read_plan(words)
    shown = " ".join(capsys.readouterr().err.split())
    plan.check()
    assert shown.startswith(f"Left out of {words[0]}: {left_out[0]} (")
    assert all(f"{one} (" in shown for one in left_out)
    assert len(plan.space.axes) == left
    assert not {one.partition("=")[0] for one in left_out} & plan.space.axes.keys()


def test_of_a_list_of_changes_only_what_the_recipe_has_is_left_out(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("ablation: {margin: [0.1, 0.2, 0.3], miner: hard}")
    assert read_plan([str(path)]).space.cells() == [
        {},
        {"margin": 0.1},
        {"margin": 0.3},
        {"miner": "hard"},
    ]
    path.write_text("ablation: {margin: 0.2}")
    with pytest.raises(InputError, match=r"s: nothing is left to change without margin=0\.2"):
        read_plan([str(path)])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ablation", "+experiment=real", "ablation.regularizer=none"], "regularizer=none changes"),
        (["ablation", "ablation={margin: 0.2, miner: hard}"], "margin=0.2 changes nothing"),
        (["cmaes", "regularizer=none", "axes.regularizer.weight={low: 0.1, high: 1.0}"], "no such"),
    ],
)
def test_what_the_command_line_gives_is_never_left_out(words, message):
    with pytest.raises(InputError, match=message):
        read_plan(words).check()


def test_a_key_of_the_recipe_goes_with_the_part_that_a_change_replaces():
    plan = read_plan(["ablation", "regularizer.weight=0.5", "architecture.width=0.25"])
    plan.check()
    assert plan.run_config({"regularizer": "none"}, 1) == config.compose(
        "train", ["regularizer=none", "architecture.width=0.25", "seed=1", "dtype=auto"]
    )
    assert plan.run_config({}, None).regularizer["weight"] == 0.5
    other = plan.run_config({"architecture": "simple_cnn"}, None)  # which has a width as well
    assert other.architecture["width"] == 0.25


def test_the_recipe_is_named_in_the_list_of_an_ablations_points(capsys):
    _print_trials(read_plan(["ablation"]))
    shown = capsys.readouterr().err
    assert re.search(r"^│ recipe │ +│", shown, re.M)


def test_the_list_of_a_single_trial_says_one_point(capsys):
    _print_trials(read_plan(["margin_miner", "axes.miner=[hard]", "axes.margin=[0.2]"]))
    title, _, _ = capsys.readouterr().err.partition("┏")
    assert title.split() == ["margin_miner:", "1", "point"]


@pytest.mark.parametrize("space", sorted(config.folder("sweeps").glob("*.yaml")))
def test_every_space_that_ships_can_be(space):
    read_plan([str(space)])
    assert read_plan([str(space), "columns=[test/eer]"]).space.columns == ["test/eer"]


@pytest.mark.parametrize("words", [["sweep", "--dry-run"], ["train", "--config"], ["describe"]])
def test_the_backend_is_chosen_before_the_config_imports_it(words, tmp_path):
    """A personal keras.json names a backend that is not there; TensorFlow writes its notes."""
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    command = [sys.executable, "-m", "tripletlab", *words]

    def run(**more):
        kept = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
        environment = {**kept, "KERAS_HOME": str(tmp_path), **more}
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    done = run()
    assert done.returncode == 0, done.stderr
    assert not [note for note in ("absl", "oneDNN", "cudart") if note in done.stderr]
    refused = run(KERAS_BACKEND="torch")
    assert refused.returncode == 2
    assert refused.stderr.startswith("tripletlab: KERAS_BACKEND=torch: ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["graph=three_inputs", "batches=people_by_photos"], "give batches=offline"),
        (["batches=offline", "axes.miner=[batch_all]"], "give another miner"),
    ],
)
def test_parts_that_do_not_fit_are_refused_at_once(words, message):
    with pytest.raises(InputError, match=message):
        read_plan(words).check()


def test_a_space_in_a_folder_is_the_file_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"margin_miner\.yaml: no such space"):
        read_plan(["./margin_miner"])
    (tmp_path / "margin_miner.yaml").write_text("axes: {margin: [0.3]}")
    assert read_plan(["./margin_miner"]).space.runs == 1


def test_predictions_from_two_numbers_of_identities_are_refused():
    with pytest.raises(InputError, match=r"a curve needs 3 or more values"):
        read_plan(["scaling", "axes.batches.identities=[20,40]", "predict=[1000]"])
