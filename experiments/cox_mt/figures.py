"""Figures of Cox-MT: scores along its hyper-parameters and numbers of patients."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from jaxsurv.plots import Profile, score_profiles
from jaxsurv.report.page import Picture
from jaxsurv.report.sentences import tested
from jaxsurv.study.findings import Findings


def profiles(
    findings: Findings, panels: Mapping[str, tuple[Mapping[float, str], str]]
) -> tuple[Figure, Picture]:
    """Scores of some settings along several axes.

    Args:
        findings: findings of the study.
        panels: axis label to a pair: a mapping from values on the axis to settings, and the setting of a
            reference line.
    """
    rows = findings.summary.set_index("setting")
    drawn = [
        Profile(
            label,
            [f"{value:g}" for value in sorted(settings)],
            {"": rows.loc[[settings[value] for value in sorted(settings)]]},
            float(rows.loc[line, "mean"]),
            line,
        )
        for label, (settings, line) in panels.items()
    ]
    figure = score_profiles(drawn, ylabel="Harrell's C, test rows", title=tested(findings))
    return figure, Picture(
        "profiles",
        "Mean test C with its 95 % interval along each axis. The intervals say how sure each mean is; "
        "differences are paired, see the table.",
        f"{len(drawn)} panels of mean test C with intervals, along {', '.join(panels)}.",
    )
