"""What a notebook shows: one short line each, and tables."""

import numpy as np
import pytest

import codingschemes as cs
from codingschemes.theory import predict


@pytest.fixture(scope="module")
def compared(small_run: cs.Run) -> cs.Comparison:
    return cs.compare(small_run, predict(small_run.posterior, theory="lazy"))


def test_objects_say_what_they_are_in_one_line(small_run, small_summary, compared):
    posterior = small_run.posterior
    objects = (
        posterior.task, posterior, small_run, small_summary, compared.prediction, compared, posterior.network,
    )  # fmt: skip
    shown = [repr(each) for each in objects]
    assert all(len(line) < 160 and "\n" not in line and "array" not in line for line in shown)
    names = ["Task(", "Posterior(", "Run(", "Summary(", "Prediction(lazy", "Comparison(lazy", "Network("]
    assert all(line.startswith(name) for line, name in zip(shown, names, strict=True))
    assert f"{posterior.task.inputs.shape[1]} features" in shown[0]
    assert small_summary.scheme.label in shown[3]
    assert all("<table" in each._repr_html_() and "array" not in each._repr_html_() for each in objects)


def test_tables_hold_what_json_holds(small_summary, compared):
    table = compared.to_dataframe()
    rows = compared.to_json()["rows"]
    assert list(table.index) == [row["quantity"] for row in rows]
    np.testing.assert_array_equal(table["sampled"], [row["sampled"] for row in rows])
    layers = small_summary.to_dataframe()
    assert layers["scheme"].tolist() == [layer.scheme.label for layer in small_summary.layers]
    np.testing.assert_array_equal(layers["nc1"], [layer.collapse.nc1 for layer in small_summary.layers])
    labelled = small_summary.to_xarray()
    np.testing.assert_array_equal(labelled["nc1"], layers["nc1"])
    np.testing.assert_array_equal(labelled["kernel"][-1], small_summary.kernels[-1].between)
    np.testing.assert_array_equal(compared.to_xarray()["sampled"], table["sampled"])
