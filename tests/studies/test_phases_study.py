"""The family of activations, the schemes of the mean field, and claims that follow from planted coordinates."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from codingschemes.errors import InvalidInput
from codingschemes.networks import ACTIVATIONS, Network
from codingschemes.studies import PhasesStudy
from codingschemes.studies.phases import claims, family
from codingschemes.studies.phases.claims import COORDINATES
from codingschemes.studies.phases.figures import figures, shown
from codingschemes.studies.phases.study import PhasePoint, solved

SMALL = PhasesStudy(24, width=24, temperature=1e-3, temperatures=(1e-3, 1e-2), variances=(1.0, 576.0), widths=(48,))


def test_the_family_goes_from_a_sigmoid_to_relu():
    z = jnp.linspace(-5, 5, 101)
    np.testing.assert_allclose(family.clipped(z, 1.0) + family.clipped(-z, 1.0), 1.0, atol=1e-6)
    for ceiling in (50.0, 5000.0):
        apart = jnp.abs(family.clipped(z, ceiling) - jnp.maximum(z, 0))
        assert apart.max() == pytest.approx(0.5 / ceiling, rel=1e-2)


def test_sampled_members_are_found_again_by_name():
    for ceiling in family.SAMPLED:
        name = family.activation_with(ceiling)
        activation = Network(name, width=4).activation
        assert (activation.source, activation.family) == (name, "sigmoidal")
        assert activation.kinks == pytest.approx((-0.5 / ceiling, ceiling - 0.5 / ceiling))
    assert family.activation_with(3.5) == family.activation_with(3.5) in ACTIVATIONS


def test_jobs_are_all_points_once_and_widths_have_one_heat():
    jobs = SMALL.jobs(Path("runs"))
    # three activations at four points and another width, and four ceilings
    assert len({job.name for job in jobs}) == len(jobs) == 3 * (4 + 1) + 4
    wide = [job.posterior for job in jobs if job.varied["width"] == 48]
    assert [each.prior.temperature for each in wide] == pytest.approx(3 * [5e-4])
    lazy = next(job.posterior for job in jobs if job.varied["variance"] == 576)
    assert lazy.prior.readout_variance == pytest.approx(24)


@pytest.mark.parametrize(
    ("activation", "scheme", "coordinate"),
    [("linear", "analog", "graded"), ("sigmoid", "redundant", "binary"), ("relu", "sparse", "concentrated")],
)
def test_the_mean_field_lies_where_the_schemes_are(activation, scheme, coordinate):
    row = solved(SMALL.posterior(PhasePoint(activation, 1e-3, 1.0, 24)))
    assert (row["label"], row["measure"], row["certified"]) == (scheme, scheme, True)
    assert row[coordinate] > 0.7
    assert sum(row[name] for name in COORDINATES) == pytest.approx(1)


def planted(theory_off: float = 0.0) -> pd.DataFrame:
    """Sigmoid networks whose codes melt with heat and towards lazy scaling, chains spread by .01."""
    rows = []
    for temperature, variance in product((1e-3, 1e-2), (1.0, 576.0)):
        binary = 0.9 if temperature == 1e-3 and variance == 1 else 0.04
        setting = PhasePoint("sigmoid", temperature, variance, 24)._asdict()
        label = "redundant" if binary > 0.5 else "undecided"
        for chain, aside in enumerate((-1, 1, -1, 1)):
            spread = {"binary": binary + 0.01 * aside, "graded": 1 - binary - 0.01 * aside}
            values = {**dict.fromkeys(COORDINATES, 0.0), **spread}
            rows.append({**setting, "source": "sampled", "chain": chain, "label": label, **values})
        values = {**dict.fromkeys(COORDINATES, 0.0), "binary": binary - theory_off, "graded": 1 - binary + theory_off}
        rows.append({**setting, "source": "theory", "label": "sparse" if theory_off else label, **values})
    return pd.DataFrame(rows)


def test_verdicts_follow_from_the_coordinates():
    centre = PhasePoint("sigmoid", 1e-3, 1.0, 24)._asdict()
    table = planted()
    found = list(claims.claims(table, centre))
    assert [claim.verdict for claim in found] == ["holds"] * 5
    own, heat, lazy, distance, names = found
    assert own.sampled == pytest.approx(0.9)
    assert own.error == pytest.approx(0.01 / 3**0.5)
    assert "theory 0.90" in own.predicted
    assert heat.sampled == pytest.approx(0.86)
    assert lazy.sampled == pytest.approx(0.04)
    assert distance.sampled == pytest.approx(0, abs=1e-12)
    assert names.sampled == 0
    assert list(figures(table, centre, 24)) == ["phase_diagram", "lazy_to_mean_field"]
    assert len(shown(table)) == 5
    wrong = {claim.claim: claim for claim in claims.claims(planted(theory_off=0.3), centre)}
    assert wrong["The mean field says where networks of finite width lie"].verdict == "does not hold"
    assert wrong["Where theory and samples both name a scheme, it is the same"].sampled == 1


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"ceilings": (3.0,)}, "`ceilings` has 3: choose among 1, 2, 4, 8"),
        ({"temperature": 0.5}, "all diagrams share a setting"),
        ({"variances": (2.0,)}, "all diagrams share a setting"),
        ({"activations": ()}, "nothing to study"),
    ],
)
def test_what_cannot_be_studied_is_refused(sizes, words):
    with pytest.raises(InvalidInput, match=words):
        replace(SMALL, **sizes)
