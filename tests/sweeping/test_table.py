import pytest

from tripletlab.sweeping.table import Row, conclusion, markdown
from tripletlab.verification.bootstrap import Lead


def row(name, score):
    metrics = {
        "precision": 0.86,
        "recall": 0.79,
        "accuracy": 0.83,
        "accuracy_std": 0.01,
        "auc": 0.9,
        "best_validation_auc": score,
    }
    return Row(name, "id", metrics)


ROWS = [row("semihard 0.2", 0.90), row("hard 0.2", 0.93), row("hard 0.4", 0.91)]


@pytest.mark.parametrize(("error", "verdict"), [(0.005, "more than"), (0.05, "within")])
def test_the_lead_is_held_against_its_paired_standard_error(error, verdict):
    lead = Lead(0.02, error)
    text = conclusion(ROWS[1], ROWS[2], error=0.01, lead=lead, pairs=6000, people=36)
    assert text.startswith("hard 0.2 won: validation AUC 0.9300, standard error 0.0100")
    assert f"leads hard 0.4 by 0.0200, {verdict} the paired standard error of {error:.4f}" in text
    assert "6,000 pairs of 36 people" in text


def test_equals_are_called_equal():
    text = conclusion(ROWS[1], ROWS[2], error=0.01, lead=Lead(0, 0), pairs=10, people=4)
    assert "hard 0.4 is exactly as good" in text


def test_a_single_cell_leads_nobody():
    assert "leads" not in conclusion(ROWS[1], None, error=0.1, lead=None, pairs=10, people=4)


def test_markdown_has_a_line_for_each_cell():
    lines = markdown(ROWS, title="grid", conclusion="hard 0.2 won").splitlines()
    assert sum(line.startswith(("| semihard", "| hard")) for line in lines) == 3
    assert "| hard 0.2 | 0.8600 | 0.7900 | 0.8300 ± 0.0100 | 0.9000 | 0.9300 |" in lines
    assert lines[-1] == "hard 0.2 won"
