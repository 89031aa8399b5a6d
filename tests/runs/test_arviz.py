"""A run as others read it: arviz's functions, netCDF, plain xarray."""

import pickle

import arviz as az
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from known_answers import small_posterior, unclassified
from scipy import stats

import codingschemes as cs
from codingschemes.diagnostics import diagnose
from codingschemes.runs.dimensions import DIMENSIONS, QUANTILES
from codingschemes.runs.store import DrawStore


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> cs.Run:
    options = {"sampler": "hmc", "chains": 2, "warmup": 30, "draws": 40, "seed": 5, "progress": False}
    return cs.sample(small_posterior(), out=tmp_path_factory.mktemp("arviz") / "run", **options)


@pytest.fixture
def figures():
    with mpl.rc_context({"backend": "agg"}):
        yield
        plt.close("all")


def test_the_log_likelihood_is_the_gaussian_density_of_the_targets(run):
    targets, temperature = run.posterior.task.targets, run.posterior.prior.temperature
    stored = run.data["posterior"]["outputs"].values
    density = stats.norm.logpdf(targets, loc=stored, scale=np.sqrt(temperature)).sum(axis=-1)
    found = run.data["log_likelihood"]["target"]
    assert found.dims == ("chain", "draw", "training_sample")
    np.testing.assert_allclose(found.values, density, rtol=1e-12)
    np.testing.assert_allclose(found[1, 3:9:2, [4, 0]].values, density[1, 3:9:2][:, [4, 0]], rtol=1e-12)


def test_replicated_targets_are_the_outputs_with_noise_of_variance_t(run):
    found, outputs = run.data["posterior_predictive"]["target"], run.data["posterior"]["outputs"]
    assert found.dims == outputs.dims == ("chain", "draw", "training_sample", "output")
    noise = ((found - outputs) / np.sqrt(run.posterior.prior.temperature)).values
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-3
    assert np.unique(noise).size == noise.size
    for part in ((0, 7), (slice(None), slice(30, None, 3), 2), (1, slice(5, 5)), (slice(None), [9, 2], slice(1, 4))):
        np.testing.assert_array_equal(found[part].values, found.values[part])


def test_the_energy_is_the_potential_and_says_so(run):
    energy = run.data["sample_stats"]["energy"]
    np.testing.assert_array_equal(energy.values, -run.values("sample_stats", "lp"))
    assert energy.attrs["long_name"] == "potential energy"
    assert "kinetic" in energy.attrs["description"]


def test_what_follows_from_the_draws_is_computed_when_it_is_read(run, monkeypatch):
    monkeypatch.setattr(np.random, "default_rng", lambda *_: pytest.fail("noise was made"))
    again = cs.Run.open(run.path)
    assert "values with dtype=float64" in repr(again.data["posterior_predictive"]["target"])


@pytest.mark.filterwarnings("ignore:Estimated shape parameter:UserWarning")
def test_arviz_leaves_one_out(run):
    """Leaving a sample out costs what it teaches: less than the fit to it, more than nothing."""
    result = az.loo(run.data, pointwise=True)
    assert result.n_data_points == run.posterior.task.sample_count
    fit = run.data["log_likelihood"]["target"]
    mean = np.log(np.exp(fit - fit.max(("chain", "draw"))).mean(("chain", "draw"))) + fit.max(("chain", "draw"))
    assert np.all(result.elpd_i < mean)


@pytest.mark.filterwarnings("ignore:Variables target in 'observed_data' look binary:UserWarning")
@pytest.mark.parametrize(
    ("plot", "options"),
    [
        (az.plot_energy, {}),
        (az.plot_ppc_dist, {"num_samples": 5}),
        (az.plot_ppc_interval, {"coords": {"output": "a"}}),
        (az.plot_ppc_tstat, {}),
        (az.plot_trace, {"var_names": ["energy"]}),
        (az.plot_rank, {"var_names": ["energy"]}),
        (az.plot_forest, {"var_names": ["kernel_block"]}),
    ],
)
def test_arviz_plots(run, figures, plot, options):
    plot(run.data, backend="matplotlib", **options)
    figure = plt.gcf()
    figure.canvas.draw()
    assert any(axes.lines or axes.collections for axes in figure.axes)


def test_arviz_summarises(run):
    table = az.summary(run.data, var_names=["energy", "kernel_block", "outputs"], ci_prob=0.9)
    assert "kernel_block[1, a, b]" in table.index
    assert "outputs[7, b]" in table.index
    assert float(az.rhat(run.data)["energy"]) == pytest.approx(1, abs=0.2)
    assert float(az.ess(run.data)["energy"]) == pytest.approx(table.loc["energy", "ess_bulk"], abs=1)
    assert az.bfmi(run.data)["energy"].sizes == {"chain": 2}
    assert az.extract(run.data, num_samples=5, random_seed=0).sizes["sample"] == 5


def test_netcdf_gives_the_run_back(run, tmp_path):
    run.data.to_netcdf(tmp_path / "run.nc")
    with xr.open_datatree(tmp_path / "run.nc", engine="h5netcdf") as again:
        for node in run.data.subtree:
            xr.testing.assert_identical(again[node.path].to_dataset(), node.to_dataset())
            for name, variable in node.data_vars.items():
                assert again[node.path][name].dtype == variable.dtype, name


def test_plain_xarray_opens_the_draws_with_names(run):
    unnamed = ["rank", "direction"]
    with xr.open_datatree(run.path / "draws.zarr", engine="zarr") as plain:
        assert {node.name for node in plain.children.values()} == set(DIMENSIONS)
        for group, variables in DIMENSIONS.items():
            for name in variables:
                expected = run.data[group][name].drop_vars(unnamed, errors="ignore")
                xr.testing.assert_equal(plain[group][name], expected)
        posterior = plain["posterior"]
        assert posterior["class"].values.tolist() == ["a", "b"]
        assert posterior["quantile"].values.tolist() == list(QUANTILES)
        assert posterior["layer"].values.tolist() == [1]
        assert plain["neurons"]["neuron"].values.tolist() == list(range(6))
        assert posterior["draw"].values.tolist() == list(range(40))
        assert plain.attrs["inference_library"] == "codingschemes"


def test_attributes_have_the_names_arviz_gives_them(run):
    for group in ("posterior", "sample_stats", "log_likelihood"):
        attributes = run.data[group].attrs
        assert attributes["inference_library"] == "codingschemes"
        assert attributes["inference_library_version"] == run.provenance["versions"]["codingschemes"]
        assert attributes["created_at"] == run.provenance["started"]
        assert attributes["sampling_time"] == run.provenance["sampling_seconds"] > 0


def test_the_data_can_be_sent_to_another_process(run):
    xr.testing.assert_identical(pickle.loads(pickle.dumps(run.data)), run.data)


def test_draws_forgotten_and_made_again_keep_their_numbers(tmp_path):
    records = {
        group: {name: np.zeros((2, 5, *(1 for _ in dimensions))) for name, dimensions in variables.items()}
        for group, variables in DIMENSIONS.items()
    }
    store = DrawStore(tmp_path / "draws.zarr")
    store.append(records)
    store.truncate(3)
    store.append(records)
    with xr.open_datatree(tmp_path / "draws.zarr", engine="zarr") as plain:
        for group in DIMENSIONS:
            assert plain[group]["draw"].values.tolist() == list(range(8))
            assert plain[group]["chain"].values.tolist() == [0, 1]


@pytest.mark.parametrize(
    "targets", [np.ones((8, 2)), np.linspace(0, 1, 16).reshape(8, 2)], ids=["shared", "regression"]
)
def test_without_targets_of_classes_there_is_no_training_error_and_all_else(targets):
    run = cs.sample(unclassified(targets), sampler="hmc", chains=2, warmup=2, draws=4, progress=False)
    assert np.isnan(run.values("posterior", "training_error")).all()
    assert np.isfinite(run.values("posterior", "training_loss")).all()
    assert np.isnan(az.rhat(run.data)["training_error"])
    assert np.isfinite(az.rhat(run.data)["energy"])
    assert np.isfinite(diagnose(run).convergence.rhat_max)
