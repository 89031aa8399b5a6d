"""Faults that `mutants.py` plants, each the replacement of a text that one file of the package holds once."""

from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1] / "src" / "codingschemes"


class Fault(NamedTuple):
    """A mistake that somebody could make.

    Attributes:
        name: in words; what is wrong then.
        file: of the package.
        before, after: the text as it is, and as it is with the fault.
        test: that should catch it, as pytest names it from tests/: the cheapest.
    """

    name: str
    file: str
    before: str
    after: str
    test: str

    def plant(self, package: Path) -> None:
        """Write the fault into a copy of the package.

        Raises:
            ValueError: the file does not hold the text exactly once.
        """
        path = package / self.file
        text = path.read_text()
        if (count := text.count(self.before)) != 1:
            raise ValueError(f"{self.file} holds the text of the fault '{self.name}' {count} times, not once")
        path.write_text(text.replace(self.before, self.after))


FAULTS = (
    Fault(
        "factor 2 in the temperature",
        "posterior/density.py",
        "jnp.sum(residual**2) / (2 * self.temperature)",
        "jnp.sum(residual**2) / self.temperature",
        "posterior/test_posterior.py::test_the_weights_form_is_the_regularised_loss",
    ),
    Fault(
        "prior of half the variance",
        "posterior/density.py",
        "position.values()) / 2 + self.misfit_at",
        "position.values()) + self.misfit_at",
        "posterior/test_posterior.py::test_the_weights_form_is_the_regularised_loss",
    ),
    Fault(
        "weight variance for a standard deviation",
        "posterior/density.py",
        "return jnp.sqrt(self.weight_variance) * self.features",
        "return self.weight_variance * self.features",
        "posterior/test_posterior.py::test_the_weights_form_is_the_regularised_loss",
    ),
    Fault(
        "features divided by the number of samples",
        "networks/network.py",
        "units / jnp.sqrt(units.shape[0])",
        "units / jnp.sqrt(units.shape[1])",
        "posterior/test_posterior.py::test_the_weights_form_is_the_regularised_loss",
    ),
    Fault(
        "log determinant twice as large",
        "posterior/collapsed.py",
        "    return jnp.sum(jnp.log(jnp.diagonal(factor))) - factor.shape[0] * jnp.log(noise) / 2",
        "    return 2 * jnp.sum(jnp.log(jnp.diagonal(factor))) - factor.shape[0] * jnp.log(noise)",
        "posterior/test_collapsed.py::test_value_is_the_gaussian_density",
    ),
    Fault(
        "gradient for one output",
        "posterior/collapsed.py",
        "slope = scaled_readout_variance * outputs * whitened",
        "slope = scaled_readout_variance * whitened",
        "posterior/test_collapsed.py::test_gradients_are_those_of_the_plain_formula",
    ),
    Fault(
        "readouts drawn with variance c squared",
        "posterior/collapsed.py",
        "jnp.sqrt(scaled_readout_variance) * prior, jnp.sqrt(noise)",
        "scaled_readout_variance * prior, jnp.sqrt(noise)",
        "posterior/test_collapsed.py::test_readout_draws_have_the_conditional_mean_and_covariance",
    ),
    Fault(
        "readout variance of the literature inverted",
        "posterior/priors.py",
        "return samples**-exponent",
        "return samples**exponent",
        "posterior/test_posterior.py::test_literature_values",
    ),
    Fault(
        "weights drawn whatever the preactivations",
        "posterior/conditionals.py",
        "residual = preactivations - prior @ features",
        "residual = preactivations",
        "posterior/test_posterior.py::test_recovered_weights_reproduce_preactivations_and_outputs",
    ),
    Fault(
        "hidden norm without what the samples do not see",
        "posterior/function.py",
        "return seen + jax.random.chisquare(key, unseen, (), seen.dtype) if unseen else seen",
        "return seen",
        "posterior/test_function.py::test_the_hidden_norm_is_that_of_weights_drawn_given_the_preactivations",
    ),
    Fault(
        "volume of a jump inverted",
        "samplers/jumps.py",
        "        + modes.log_volume[other]\n        - modes.log_volume[own]\n",
        "        - modes.log_volume[other]\n        + modes.log_volume[own]\n",
        "samplers/test_moves.py::test_jumps_leave_exact_draws_exact[one layer]",
    ),
    Fault(
        "images of neurons out of date after a jump",
        "samplers/jumps.py",
        "return intend(there, images.after(update, there.activity[neurons], modes))",
        "return intend(there, images)",
        "samplers/test_moves.py::test_neurons_of_a_block_know_of_each_others_jumps",
    ),
    Fault(
        "the chance to be offered a mode left out",
        "samplers/concerted.py",
        "        + to_one[each, own]\n        - to_other[each, other]\n",
        "",
        "samplers/test_moves.py::test_concerted_jumps_leave_exact_draws_exact",
    ),
    Fault(
        "a neuron on its way back is not offered its own mode",
        "samplers/concerted.py",
        "other = jnp.where(neurons == journey.traveller.neuron, journey.traveller.home, other)",
        "other = jnp.where(neurons == len(every), journey.traveller.home, other)",
        "samplers/test_moves.py::test_a_conversion_is_taken_back_by_the_way_back",
    ),
    Fault(
        "share of the neurons looked at inverted",
        "samplers/concerted.py",
        "jax.nn.logsumexp(log_ratio / 2) + jnp.log(members",
        "jax.nn.logsumexp(log_ratio / 2) - jnp.log(members",
        "samplers/test_moves.py::test_concerted_jumps_leave_exact_draws_exact",
    ),
    Fault(
        "a flip that depends on what it flips",
        "samplers/flips.py",
        "jnp.sum(jnp.mean(units, axis=1), where=others)",
        "jnp.sum(jnp.mean(units, axis=1))",
        "samplers/test_lower_layer_moves.py::test_a_flip_is_its_own_inverse_and_hides_in_the_layer_above",
    ),
    Fault(
        "acceptance of a reversal without its volume",
        "samplers/lower_layers.py",
        "here.potential - there.potential + proposal.log_volume",
        "here.potential - there.potential",
        "samplers/test_lower_layer_moves.py::test_a_proposal_that_leaves_no_volume_is_never_accepted",
    ),
    Fault(
        "a flip that the layer above is told half of",
        "samplers/flips.py",
        "share @ after[: network.width] - before[neuron] - after[neuron]",
        "share @ after[: network.width] - before[neuron]",
        "samplers/test_lower_layer_moves.py"
        "::test_what_a_proposal_tells_is_what_a_pass_through_the_network_says[reduced-True]",
    ),
    Fault(
        "volume of a reversal inverted",
        "samplers/reversals.py",
        "len(leaving) * (before.log_volume - after.log_volume)",
        "len(leaving) * (after.log_volume - before.log_volume)",
        "samplers/test_lower_layer_moves.py"
        "::test_a_reversal_is_its_own_inverse_tells_its_volume_and_keeps_what_classes_mean_above",
    ),
    Fault(
        "a rotation below the last layer that leaves the weights above as they are",
        "samplers/lower_rotations.py",
        "        turned = turn(leaving)\n",
        "        turned = leaving\n",
        "samplers/test_lower_rotations.py::test_neurons_that_point_the_same_way_share_what_they_carry_as_they_like",
    ),
    Fault(
        "a pair below the last layer drawn by weight, as if it were not",
        "samplers/lower_rotations.py",
        "jnp.where(conserved, 0.0, log_selection(",
        "jnp.where(True, 0.0, log_selection(",
        "samplers/test_lower_rotations.py::test_rotations_leave_exact_draws_exact[reduced]",
    ),
    Fault(
        "outliers that move as if they had not been drawn by weight",
        "samplers/outliers.py",
        "return likelihood + selection - jnp",
        "return likelihood - jnp",
        "samplers/test_outlier_trajectories.py::test_trajectories_of_few_leave_exact_draws_exact[reduced]",
    ),
    Fault(
        "a neuron's likelihood for one output",
        "samplers/neighbourhood.py",
        "alignment / stretch / 2 - self.field.shape[1] * jnp.log(stretch) / 2",
        "alignment / stretch / 2 - jnp.log(stretch) / 2",
        "samplers/test_neighbourhood.py::test_a_neurons_log_likelihood_is_what_it_adds_to_the_misfit",
    ),
    Fault(
        "trajectories accepted by the energy of their forces",
        "samplers/softened.py",
        "jax.value_and_grad(logdensity)(end.position)",
        "jax.value_and_grad(softened)(end.position)",
        "samplers/test_moves.py::test_softened_trajectories_leave_exact_draws_exact",
    ),
    Fault(
        "acceptance ratio inverted",
        "samplers/pcnl.py",
        "_cost(point, other, h) - _cost(other, point, h)",
        "_cost(other, point, h) - _cost(point, other, h)",
        "samplers/test_sampler_correctness.py"
        "::TestKnownAnswer::test_moments_and_distributions_by_quadrature[pcnl-linear weights]",
    ),
    Fault(
        "off by one where a run goes on",
        "runs/driver.py",
        "store.truncate(checkpoint.draws)",
        "store.truncate(checkpoint.draws + 1)",
        "runs/test_runs.py::test_draws_after_the_last_checkpoint_are_made_again",
    ),
    Fault(
        "a run goes on without the modes that chains have found",
        "runs/driver.py",
        "length, keeper, machine = 1, Keeper(run, longest, writer), machine.informed(checkpoint.states)",
        "length, keeper = 1, Keeper(run, longest, writer)",
        "runs/test_until.py::test_a_run_that_was_cut_off_anywhere_equals_one_that_was_not[stops1]",
    ),
    Fault(
        "a request to stop that was lost is forgotten",
        "interruption.py",
        "_thread.interrupt_main(signal.SIGTERM)",
        "return",
        "test_interruption.py::test_a_request_that_was_lost_is_repeated_without_a_word",
    ),
    Fault(
        "recorded kernel not divided by the width",
        "runs/observables.py",
        'jnp.einsum("lnp,lnq->lpq", activity, activity) / density.network.width',
        'jnp.einsum("lnp,lnq->lpq", activity, activity)',
        "runs/test_runs.py::test_stored_observables_follow_from_stored_neurons",
    ),
    Fault(
        "checkpoints of any run are taken",
        "runs/checkpoint.py",
        'if header["made_of"] != made_of:',
        'if not header["made_of"]:',
        "runs/test_bad_days.py::test_a_checkpoint_of_another_run_is_refused",
    ),
    Fault(
        "a digest of shapes alone",
        "runs/identity.py",
        "            found.update(np.ascontiguousarray(array).tobytes())\n",
        "",
        "runs/test_bad_days.py::test_data_that_changed_under_the_same_options_are_refused",
    ),
    Fault(
        "every writer is taken for dead",
        "runs/lock.py",
        'return found.get("started") != _start_time(found.get("pid"))',
        "return True",
        "runs/test_bad_days.py::test_a_second_writer_is_refused_and_readers_are_not",
    ),
    Fault(
        "Monte Carlo error of independent draws",
        "convergence.py",
        '_statistics().mcse(flat[:, :, varies], chain_axis=0, draw_axis=1, method="mean")',
        "flat[:, :, varies].std(axis=(0, 1)) / flat[:, :, 0].size ** 0.5",
        "diagnostics/test_diagnostics.py::test_effective_draws_and_errors_of_an_autoregressive_chain",
    ),
    Fault(
        "R-hat of one long chain",
        "convergence.py",
        "_statistics().rhat(series, chain_axis=0, draw_axis=1)",
        "_statistics().rhat(series.reshape(1, -1, series.shape[2]), chain_axis=0, draw_axis=1)",
        "diagnostics/test_diagnostics.py::test_disagreeing_chains_are_told_from_drifting_ones",
    ),
    Fault(
        "the smallest R-hat for the largest",
        "convergence.py",
        "return _worst(self.rhat.values(), np.nanmax)",
        "return _worst(self.rhat.values(), np.nanmin)",
        "diagnostics/test_diagnostics.py::test_disagreeing_chains_are_told_from_drifting_ones",
    ),
    Fault(
        "bits cut at the sum of both levels",
        "coding/bits.py",
        "float(low + high) / 2",
        "float(low + high)",
        "coding/test_codes.py::test_bits_are_cut_between_the_bounds_of_the_activation",
    ),
    Fault(
        "bits decided at any distance",
        "coding/bits.py",
        "np.maximum(LEAST_DISTANCE * extent[..., None], STANDARD_ERRORS * neurons.activity_error)",
        "np.minimum(LEAST_DISTANCE * extent[..., None], STANDARD_ERRORS * neurons.activity_error)",
        "coding/test_codes.py::test_a_bit_needs_distance_from_the_midpoint",
    ),
    Fault(
        "kernel divided by the number of samples",
        "representation/kernels.py",
        "return phi @ phi.T / phi.shape[1]",
        "return phi @ phi.T / phi.shape[0]",
        "representation/test_representation_kernels.py::test_block_means_equal_the_sums_they_stand_for",
    ),
    Fault(
        "parallelism with each direction's cosine to itself",
        "representation/parallelism.py",
        "np.triu_indices(len(contexts), 1)",
        "np.triu_indices(len(contexts))",
        "representation/test_abstraction.py::test_adding_the_parity_direction_brings_the_code_to_chance",
    ),
    Fault(
        "generalization to contexts that were trained on",
        "representation/generalization.py",
        "dichotomy, ~test, test) for test in tests",
        "dichotomy, test | True, test) for test in tests",
        "representation/test_abstraction.py::test_ccgp_trains_on_all_contexts_but_the_held_out_one",
    ),
    Fault(
        "Monte Carlo error added where it is taken off",
        "sweeps/trend.py",
        "size = deviation**2 - error**2",
        "size = deviation**2 + error**2",
        "sweeps/test_trend.py::test_noise_adds_its_mean_square_which_is_taken_off",
    ),
    Fault(
        "constant of the arccosine kernel",
        "networks/gaussian.py",
        "(np.sin(angle) + (np.pi - angle) * cosine) / (2 * np.pi)",
        "(np.sin(angle) + (np.pi - angle) * cosine) / np.pi",
        "theory/test_lazy.py::test_closed_forms_are_the_quadrature",
    ),
    Fault(
        "noise of the regression twice as large",
        "theory/lazy/theory.py",
        "noisy = seen + prior.temperature * np.eye(samples)",
        "noisy = seen + 2 * prior.temperature * np.eye(samples)",
        "theory/test_lazy.py::test_regression_is_numpys",
    ),
    Fault(
        "sign in the dual of the mean-field theory",
        "theory/mean_field/solvers/quadrature.py",
        "- tau / 2 * np.sum(counts[:, None] * t**2)",
        "+ tau / 2 * np.sum(counts[:, None] * t**2)",
        "theory/test_mean_field_quadrature.py::test_gradient_and_hessian_of_the_dual",
    ),
    Fault(
        "linear networks drawn without the noise of what the targets see",
        "samplers/linear_networks.py",
        "forced + noise, lower=True, trans=1",
        "forced, lower=True, trans=1",
        "samplers/test_linear_networks.py::test_without_data_weights_drawn_from_drawn_factors_are_the_priors",
    ),
    Fault(
        "a layer's weights without the part along its readouts",
        "samplers/linear_networks.py",
        "return free + directions @ (part - jnp.swapaxes(directions, -1, -2) @ free)",
        "return free + directions @ part",
        "samplers/test_linear_networks.py::test_a_drawn_network_has_its_factors",
    ),
    Fault(
        "noise of the outputs left out at a finite ratio of samples to neurons",
        "theory/readout_covariance.py",
        "return (entropy - fit + (vectors * self._prior_slope(values)) @ vectors.T) / 2",
        "return (-fit + (vectors * self._prior_slope(values)) @ vectors.T) / 2",
        "theory/test_readout_covariance.py::test_as_many_samples_as_neurons_done_exactly",
    ),
    Fault(
        "covariance of linear neurons without the readouts",
        "theory/readout_covariance.py",
        "- noise) + pushed @ above @ pushed.T",
        "- noise) + pushed @ pushed.T",
        "theory/test_mean_field_linear.py::test_solution_is_its_own_fixed_point",
    ),
    Fault(
        "a certificate that does not ask whether neurons gain",
        "theory/global_minimum/bounds.py",
        "scale = min(max(largest, 1e-300) ** -0.5, linear / square)",
        "scale = linear / square",
        "theory/test_global_minimum_solver.py::test_planted_wrong_solutions_are_caught",
    ),
    Fault(
        "penalty of a neuron halved",
        "theory/global_minimum/oracle.py",
        "return reduction - problem.penalty * norms,",
        "return reduction - problem.penalty * norms / 2,",
        "theory/test_global_minimum_solver.py::test_gains_are_slopes_of_the_energy",
    ),
    Fault(
        "weights of particles that do not add up to one",
        "tempering/sweeps.py",
        "increment=logsumexp(weights) - jnp.log(weighed)",
        "increment=logsumexp(weights) - jnp.log(count)",
        "tempering/test_evidence.py::test_one_neuron_agrees_with_quadrature_at_every_temperature",
    ),
)
