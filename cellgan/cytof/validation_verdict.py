"""One verdict in words on a validation, and what to be wary of.

- *Trust the imputed markers* if all of them can be trusted, *do not use* if none can and none with care; in
  between the headline says how many. Where every marker was measured by both batches, the same is said of the
  markers that were held out.
- A warning where the mean coverage of the 90 % intervals leaves 85 to 95 %: spreads are off then, and with
  them draws and intervals. Single markers vary more than that by chance and by their zeros.
- A warning where a simple method's correlations are higher by more than .02 on average: it does better here.
- A warning where fewer markers were held out than a private marker is judged by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof.baselines import BASELINES
from cellgan.cytof.hold_out import OWN
from cellgan.cytof.trust import LEAST_LIKE, N_LIKE
from cellgan.report.numbers import decimal, is_known, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COVERED = (0.85, 0.95)
BETTER = 0.02


def judge_validation(report: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Say in words what a validation found.

    Parameters
    ----------
    report
        Without what is returned here.

    Returns
    -------
    The verdict, ``{"level": "good" | "caution" | "poor", "headline": ..., "text": ...}``, and warnings.
    """
    private, held_out = report["private"], report["held_out"]
    judged = private or held_out
    level, headline = _headline([entry["level"] for entry in judged], imputed=bool(private))
    text = f"{_how_well(report)} {_covered(report)}".rstrip()
    if not private:
        text += " Both batches measured the same markers, so there is nothing to impute between these two."
    return {"level": level, "headline": headline, "text": text}, _warnings(report)


def best_simple(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the mean scores of the simple method with the highest correlation."""
    found: Mapping[str, Any] = max(
        (row for row in report["mean"] if row["method"] != OWN), key=lambda row: row["r"]
    )
    return found


def _headline(levels: Sequence[str], *, imputed: bool) -> tuple[str, str]:
    n = len(levels)
    trusted, careful = (levels.count(level) for level in ("trust", "care"))
    if not imputed:
        tone = "good" if trusted == n else "caution" if trusted or careful else "poor"
        return tone, f"{trusted} of {n} markers could be trusted if they were missing"
    if trusted == n:
        return "good", "Trust the imputed markers"
    if trusted:
        return "caution", f"Trust {trusted} of the {n} imputed markers"
    if careful == n:
        return "caution", "Use the imputed markers with care"
    if careful:
        return "caution", f"Use {careful} of the {n} imputed markers, with care"
    return "poor", "Do not use the imputed markers"


def _how_well(report: Mapping[str, Any]) -> str:
    own, simple, n = report["mean"][0], best_simple(report), len(report["held_out"])
    hidden = f"Each of {n} shared markers was" if n > 1 else "One shared marker was"
    within = f", {decimal(own['r_within'])} within populations" if is_known(own["r_within"]) else ""
    return (
        f"{hidden} hidden in {report['batch']} and predicted: correlation with what was measured there "
        f"{decimal(own['r'])}{' on average' if n > 1 else ''}{within}. The best simple method, "
        f"{BASELINES[simple['method']]}, reached {decimal(simple['r'])}."
    )


def _covered(report: Mapping[str, Any]) -> str:
    share = report["mean"][0]["coverage"]
    return f"The 90 % intervals held {percent(share)} of the values." if is_known(share) else ""


def _warnings(report: Mapping[str, Any]) -> list[str]:
    own, simple, n = report["mean"][0], best_simple(report), len(report["held_out"])
    found = []
    if is_known(own["coverage"]) and not COVERED[0] <= own["coverage"] <= COVERED[1]:
        found.append(
            f"90 % intervals hold {percent(own['coverage'])} of the values: take draws and intervals as too "
            f"{'narrow' if own['coverage'] < COVERED[0] else 'wide'}"
        )
    if simple["r"] > own["r"] + BETTER:
        found.append(
            f"a simple method, {BASELINES[simple['method']]}, predicts better here: r {decimal(simple['r'])} "
            f"against {decimal(own['r'])}"
        )
    if report["private"] and n < LEAST_LIKE:
        found.append(
            f"only {n} marker{'s were' if n > 1 else ' was'} held out, too few to tell what is lost between "
            f"the batches: hold out {N_LIKE} or more"
        )
    return found
