"""Optuna's figures of a study, and the learning curves and ROC curves of its runs, in Plotly."""

from ast import literal_eval
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import optuna
import optuna.visualization as visualization
from numpy.typing import NDArray
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState, create_trial
from plotly.graph_objects import Figure

from tripletlab.evaluation.metrics import describe
from tripletlab.evaluation.numbers import p_text
from tripletlab.plots.style import PALETTE
from tripletlab.sweeping.contrasts import Effect
from tripletlab.sweeping.scaling import ScalingCurve
from tripletlab.sweeping.spaces import MONITORED
from tripletlab.sweeping.study import Study

Curve = Sequence[tuple[int, float]]  # (epoch, value)
Rates = tuple[NDArray[np.float64], NDArray[np.float64]]  # false and true positives
GREY = "#9aa0a8"
MORE = ("#1c2024", "#7a4fbf", "#8c564b", GREY)  # for further curves
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")  # of the ROC curves
# Plotly's own ticks of a short logarithmic axis are single digits: 5, 6, 7, 8, 9, 0.1, 2
LOG_TICKS = {
    "tickvals": [float(f"{step}e{power}") for power in range(-7, 8) for step in (1, 2, 5)],
    "tickformat": ",~g",
}
SHORT = 24  # characters at most of a name beside its point; longer names show on hovering
MOST_NAMES = 30  # in a legend
MARKER = {"color": PALETTE[0], "showscale": False, "size": 9, "line": {"width": 0}}
LAYOUT = {
    "template": "plotly_white",
    "font": {"family": "system-ui, sans-serif", "size": 13},
    "margin": {"l": 60, "r": 20, "t": 20, "b": 50},
    "title": None,
    "colorway": PALETTE,
    "legend": {"orientation": "h", "y": -0.2, "yanchor": "top"},
}


def of_study(study: Study) -> dict[str, Figure]:
    """Heading to figure, for those figures that the study's trials suffice for.

    They show how parameters affect the first objective; all but the history and the objective by
    one parameter need two parameters, and a contour two that are numbers. A grid, whose order
    means nothing, has no history. The Pareto front of two or three objectives comes first.
    """
    own, space = study.study, study.space
    done = own.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    varied = [
        key
        for key in space.axes
        if len({str(one.params[key]) for one in done if key in one.params}) > 1
    ]
    if not varied:
        return {}
    items = [item for one in done for item in one.params.items()]
    categories = {key for key, value in items if not isinstance(value, int | float)}
    numeric = [key for key in varied if key not in categories]
    objectives = [describe(one).heading for one in space.objectives]
    first = objectives[0]
    single = _by_first_objective(own)
    figures: dict[str, Figure] = {}
    if space.several and len(space.objectives) < 4:
        figures["Pareto front"] = visualization.plot_pareto_front(own, target_names=objectives)
    if space.sampler:
        figures["Optimisation history"] = _history(single, first)
    if len(varied) > 1:
        figures["Parallel coordinates"] = visualization.plot_parallel_coordinate(
            single, params=varied, target_name=first
        ).for_each_trace(_darken, selector={"type": "scatter", "mode": "lines"})
    figures |= _importance(single, done, varied, first)
    figures["Objective by one parameter"] = visualization.plot_slice(
        single, params=varied, target_name=first
    ).update_traces(marker=MARKER, opacity=0.7)
    _unquote(figures["Objective by one parameter"])
    if len(numeric) > 1 and any(one.params.keys() >= set(numeric[:4]) for one in done):
        figures["Objective by two parameters"] = visualization.plot_contour(
            single, params=numeric[:4], target_name=first
        ).update_layout(height=320 * max(len(numeric[:4]) - 1, 2))
    return {heading: _in_our_style(figure) for heading, figure in figures.items()}


def _history(single: optuna.Study, target: str) -> Figure:
    figure = visualization.plot_optimization_history(single, target_name=target)
    figure.update_xaxes(title="trial", dtick=1 if len(single.trials) < 20 else None)
    return figure.update_traces(name="best so far", selector={"name": "Best Value"})


def _importance(
    single: optuna.Study, done: Sequence[FrozenTrial], varied: Sequence[str], target: str
) -> dict[str, Figure]:
    """Nothing unless fANOVA can work: parameters that all trials have, and different values."""
    shared = [key for key in varied if all(key in one.params for one in done)]
    if len(shared) < 2 or len(done) < 4 or len({one.values[0] for one in done}) < 2:
        return {}
    figure = visualization.plot_param_importances(
        single,
        params=shared,
        evaluator=FanovaImportanceEvaluator(seed=0),
        target_name=target,
    )
    figure.update_traces(marker={"color": PALETTE[0]})
    return {"Parameter importance": figure.update_xaxes(title="importance").update_yaxes(title="")}


def learning_curves(
    curves: Mapping[str, Curve], *, models: Mapping[str, str], best: str, ended: set[str]
) -> Figure:
    """The validation AUC of every run by epoch; `models` are run to model, whose seeds look alike.

    Thick is the best, and dotted are those that ended early.
    """
    figure, colours = Figure(), PALETTE + MORE
    places = {model: place for place, model in enumerate(dict.fromkeys(models.values()))}
    for name, curve in curves.items():
        model = models[name]
        dash, width = "dot" if name in ended else "solid", 4 if name == best else 1.5
        figure.add_scatter(
            x=[epoch for epoch, _ in curve],
            y=[value for _, value in curve],
            name=model,
            legendgroup=model,
            showlegend=not any(trace.name == model for trace in figure.data),
            hovertemplate=f"epoch %{{x}}: %{{y:.4f}}<extra>{escape(name)}</extra>",
            mode="lines+markers",
            line={"dash": dash, "width": width, "color": colours[places[model] % len(colours)]},
        )
    longest = max(map(len, curves.values()), default=0)
    figure.update_xaxes(title="epoch", dtick=1 if longest < 20 else None)
    figure.update_yaxes(title=describe(MONITORED).heading)
    legend = len(places) <= MOST_NAMES
    figure.update_layout(showlegend=legend, height=420 + 18 * len(places) * legend)
    return _in_our_style(figure)


def roc_curves(curves: Mapping[str, Rates]) -> Figure:
    """Mean ROC curves over the folds of the verification pairs, one for each model.

    Their dashes differ, so that two equal curves are both visible.
    """
    figure = Figure()
    chance = {"dash": "dash", "width": 1, "color": GREY}
    figure.add_scatter(x=[0, 1], y=[0, 1], name="chance", line=chance, mode="lines")
    styles = zip(PALETTE, DASHES, curves.items(), strict=False)
    for colour, dash, (name, (false, true)) in styles:
        line = {"width": 2, "color": colour, "dash": dash}
        figure.add_scatter(x=false, y=true, name=name, mode="lines", line=line)
    figure.update_xaxes(title="false accept rate", range=[0, 1])
    figure.update_yaxes(title="true accept rate", range=[0, 1.005])
    figure.update_layout(height=560)
    return _in_our_style(figure)


def differences(effects: Sequence[Effect]) -> Figure:
    """The validation AUC's differences with their intervals, the largest at the top.

    The axis has no title: beside long names on a narrow screen it would be cut off.
    """
    figure = Figure()
    ordered = sorted(effects, key=lambda one: one.auc.value)
    names = [one.contrast.name for one in ordered]
    low = [one.auc.value - one.auc.low for one in ordered]
    high = [one.auc.high - one.auc.value for one in ordered]
    colours = [PALETTE[0] if one.shown else "#ffffff" for one in ordered]
    figure.add_scatter(
        x=[one.auc.value for one in ordered],
        y=names,
        mode="markers",
        marker={"size": 10, "color": colours, "line": {"width": 2, "color": PALETTE[0]}},
        error_x={"array": high, "arrayminus": low, "color": PALETTE[0], "thickness": 1.5},
        hovertext=[p_text(one.p) for one in ordered],
    )
    figure.add_vline(x=0, line={"dash": "dash", "width": 1, "color": GREY})
    figure.update_yaxes(automargin=True)
    figure.update_layout(height=140 + 34 * len(names))
    return _in_our_style(figure)


def scaling(curves: Sequence[ScalingCurve], predict: Sequence[int]) -> Figure:
    """AUC by training identities on a logarithmic axis: runs, power laws, prediction intervals."""
    figure = Figure()
    for place, curve in enumerate(curves):
        colour = PALETTE[place % len(PALETTE)]
        identities, aucs = zip(*curve.runs, strict=True)
        x = np.geomspace(min(identities), max([*identities, *predict]), 60)
        line = [curve.law.predict(float(one)) for one in x]
        group = {"legendgroup": curve.name, "showlegend": False, "hoverinfo": "skip"}
        for ends in ([one.low for one in line], [one.high for one in line]):
            figure.add_scatter(
                x=x,
                y=ends,
                mode="lines",
                line={"width": 1, "dash": "dot", "color": colour},
                **group,
            )
        figure.add_scatter(
            x=x,
            y=[one.value for one in line],
            name=curve.name,
            mode="lines",
            line={"width": 2, "color": colour},
            legendgroup=curve.name,
        )
        figure.add_scatter(
            x=identities,
            y=aucs,
            mode="markers",
            marker={"size": 8, "color": colour},
            name=curve.name,
            legendgroup=curve.name,
            showlegend=False,
        )
    figure.update_xaxes(title="training identities", type="log")
    figure.update_yaxes(title="AUC")
    figure.update_layout(height=520)
    return _in_our_style(figure)


def auc_by_operations(networks: Mapping[str, tuple[float, float]]) -> Figure:
    """Verification AUC against operations; `networks` is name to (operations for a face, AUC)."""
    flops, aucs = zip(*networks.values(), strict=True)
    figure = Figure()
    figure.add_scatter(
        x=[one / 1e6 for one in flops],
        y=aucs,
        text=list(networks),
        mode="markers+text" if max(map(len, networks)) <= SHORT else "markers",
        textposition="top center",
        marker={"size": 11, "color": PALETTE[0]},
        cliponaxis=False,
    )
    low, high = np.log10(min(flops)) - 6, np.log10(max(flops)) - 6
    room = 0.15 * (high - low) + 0.01  # for the names of the outermost
    figure.update_xaxes(title="MFLOP for a face", type="log", range=[low - room, high + room])
    figure.update_yaxes(title="verification AUC")
    figure.update_layout(height=560)
    return _in_our_style(figure)


def _by_first_objective(study: optuna.Study) -> optuna.Study:
    """The same trials with the first objective alone, for figures that take one.

    The trials keep their numbers: those that are not complete stand in as failed ones.
    """
    single = optuna.create_study(direction=study.directions[0])
    for trial in study.get_trials(deepcopy=False):
        done = trial.state == TrialState.COMPLETE
        single.add_trial(
            create_trial(
                params=trial.params, distributions=trial.distributions, value=trial.values[0]
            )
            if done
            else create_trial(state=TrialState.FAIL)
        )
    return single


def _darken(trace: Any) -> None:
    """Make a line of Optuna's, whose lightest is almost white, visible on white."""
    if (colour := str(trace.line.color)).startswith("rgb("):
        shades = (0.7 * float(one) for one in colour[4:-1].split(","))
        trace.line.color = f"rgb({', '.join(f'{one:.0f}' for one in shades)})"


def _unquote(figure: Figure) -> None:
    """Write the categories as they are in the config: Optuna's are in quotes."""

    def bare(values: Sequence[Any]) -> list[Any]:
        return [
            literal_eval(one) if isinstance(one, str) and one[:1] in "'\"" else one
            for one in values
        ]

    figure.for_each_trace(lambda trace: trace.update(x=bare(trace.x)))
    figure.for_each_xaxis(
        lambda axis: axis.categoryarray and axis.update(categoryarray=bare(axis.categoryarray))
    )


def _in_our_style(figure: Figure) -> Figure:
    figure.update_xaxes(LOG_TICKS, selector={"type": "log"})
    figure.update_yaxes(LOG_TICKS, selector={"type": "log"})
    return figure.update_layout(**LAYOUT)
