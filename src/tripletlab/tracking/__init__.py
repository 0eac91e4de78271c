"""MLflow: runs, the model registry, serving.

Other rooms use these names alone. Another backend is a class with the public methods of
Tracker, named by a file of conf/tracking.
"""

from tripletlab.tracking.notice import waits_passed_to
from tripletlab.tracking.past_runs import SHORT, RunRecord
from tripletlab.tracking.registry import RunModel
from tripletlab.tracking.tracked_run import TrackedRun
from tripletlab.tracking.tracker import Tracker

__all__ = ["SHORT", "RunModel", "RunRecord", "TrackedRun", "Tracker", "waits_passed_to"]
