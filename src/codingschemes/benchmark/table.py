"""Many rows, and what an effective draw costs relative to numpyro's NUTS on all weights."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any, get_args

import numpy as np

from codingschemes.benchmark.measure import BASELINE, LISTED, Measurement, measure, over_seeds
from codingschemes.benchmark.rivals import RIVALS
from codingschemes.benchmark.targets import SUITES, TARGETS
from codingschemes.errors import InvalidInput, SamplingFailed
from codingschemes.posterior import Space
from codingschemes.progress import tracked
from codingschemes.registry import unknown
from codingschemes.samplers import SAMPLERS, default_sampler

type Contender = tuple[str, Space]

SPACES = get_args(Space.__value__)

#: The sampler a user gets, which the headline ratio is for.
DEFAULT: Contender = (default_sampler("draws"), "reduced")
CONTENDERS: tuple[Contender, ...] = (
    ("nuts", "weights"),
    ("nuts", "reduced"),
    ("blackjax-nuts", "reduced"),
    ("blackjax-nuts-low-rank", "reduced"),
    ("blackjax-chees", "reduced"),
    ("blackjax-laps", "reduced"),
    ("mclmc-unadjusted", "reduced"),
    ("mclmc", "reduced"),
    ("hmc", "reduced"),
    DEFAULT,
)
_REFERENCES = "references.json"

type References = dict[str, dict[str, tuple[float, float]]]


@dataclass(frozen=True)
class Bench:
    """All rows of one call."""

    rows: tuple[Measurement, ...]

    def ratios(self) -> dict[str, dict[str, float]]:
        """target -> sampler/space -> its ess_min_per_second over that of numpyro's NUTS on all weights."""
        baseline = f"{LISTED[BASELINE[0]]}/{BASELINE[1]}"
        rates = {
            target: {_label(row): row.ess_min_per_second for row in self.rows if row.target == target}
            for target in dict.fromkeys(row.target for row in self.rows)
        }
        return {
            target: {name: rate / found[baseline] for name, rate in found.items() if name != baseline}
            for target, found in rates.items()
            if baseline in found
        }

    def summary(self, contender: Contender = DEFAULT) -> dict[str, float]:
        """Geometric mean and smallest ratio of one sampler over the targets it was measured on."""
        name = f"{LISTED.get(contender[0], contender[0])}/{contender[1]}"
        found = [ratios[name] for ratios in self.ratios().values() if name in ratios]
        if not found:
            return {"geometric_mean": float("nan"), "smallest": float("nan")}
        return {"geometric_mean": float(np.exp(np.mean(np.log(found)))), "smallest": min(found)}

    def to_json(self) -> dict[str, Any]:
        """The rows, the ratios and the headline, as JSON values."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "ratios": self.ratios(),
            "default": {"sampler": "/".join(DEFAULT), **self.summary()},
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Bench":
        """The rows of `to_json` again, to draw or join tables."""
        rows = []
        for row in values["rows"]:
            numbers: dict[str, Any] = {name: _number(value) for name, value in row.items()}
            means = {name: (float(mean), float(error)) for name, (mean, error) in row["means"].items()}
            spread = {name: (_number(low), _number(high)) for name, (low, high) in row.get("spread", {}).items()}
            rows.append(Measurement(**{**numbers, "means": means, "spread": spread}))
        return cls(tuple(rows))


def bench(
    suite: str = "quick",
    *,
    contenders: Sequence[Contender] = CONTENDERS,
    warmup: int | None = 300,
    seconds: float = 15.0,
    seeds: int = 1,
    notify: Callable[[str], None] = lambda _: None,
    kept: Callable[[Bench], None] = lambda _: None,
) -> Bench:
    """Measure samplers on the targets of a suite.

    Args:
        suite: name of a suite, or of one or several targets, separated by commas.
        contenders: samplers and forms of the posterior.
        warmup: adapting iterations of each; None begins from mixed starts and ends by itself, as `sample` does.
        seconds: of sampling, for each.
        seeds: how often each is measured: a row holds the medians, and how far the numbers spread.
        notify: is told what happens, one line a row; targets whose files are missing are left out, and it is said why.
        kept: is given the rows so far after each of them.

    Raises:
        InvalidInput: an unknown suite, target, sampler or space; no seeds; or nothing that could be measured.
    """
    if seeds < 1:
        raise InvalidInput(f"`seeds` is {seeds}: give an integer of at least 1")
    if not contenders:
        raise InvalidInput("`contenders` is empty: give pairs of a sampler and a form of the posterior")
    for sampler, space in contenders:
        for kind, name, known in (("sampler", sampler, [*SAMPLERS, *RIVALS]), ("space", space, SPACES)):
            if name not in known:
                raise unknown(kind, name, known)
    references, rows, reasons = read_references(), [], []
    for name in targets_of(suite):
        try:
            posterior = TARGETS[name].posterior()
        except InvalidInput as error:
            reasons.append(f"{name}: left out ({error})")
            notify(reasons[-1])
            continue
        for sampler, space in tracked(contenders, f"measuring samplers on {name}"):
            try:
                measured = [
                    measure(
                        name,
                        posterior,
                        sampler,
                        space,
                        warmup=warmup,
                        seconds=seconds,
                        reference=references.get(name),
                        seed=seed,
                    )
                    for seed in range(seeds)
                ]
            except (InvalidInput, SamplingFailed) as error:
                reasons.append(f"{name} {sampler}/{space}: left out ({error})")
                notify(reasons[-1])
                continue
            row = over_seeds(measured)
            rows.append(row)
            kept(Bench(tuple(rows)))
            notify(
                f"{name} {_label(row)}: {_with_spread(row, 'ess_min_per_second', '.3g')} effective draws a second, "
                f"{row.gradients_per_draw:.0f} gradients a draw, R-hat {row.rhat_max:.2f}"
            )
    if not rows:
        raise InvalidInput(f"nothing was measured: {reasons[-1]}")
    return Bench(tuple(rows))


def targets_of(suite: str) -> list[str]:
    """The targets of a suite, or those named.

    Raises:
        InvalidInput: neither.
    """
    if suite in SUITES:
        return list(SUITES[suite])
    names = suite.split(",")
    for name in names:
        if name not in TARGETS:
            raise InvalidInput(
                f"there is no suite or target {name!r}: choose {', '.join(SUITES)}, or some of {', '.join(TARGETS)}"
            )
    return names


def read_references() -> References:
    """The recorded expectations: target -> quantity -> (mean, error)."""
    text = resources.files("codingschemes.benchmark").joinpath(_REFERENCES).read_text()
    return {
        target: {name: (pair[0], pair[1]) for name, pair in quantities.items()}
        for target, quantities in json.loads(text).items()
    }


def columns() -> list[str]:
    """Headings of `lines`."""
    return [
        "target",
        "sampler",
        "chains",
        "gradients a draw",
        "min ESS",
        "median ESS",
        "R-hat",
        "seconds",
        "min ESS a second",
        "ratio",
        "switches a draw",
        "z",
        "warm-up s",
        "compile s",
    ]


def lines(found: Bench) -> Iterator[list[str]]:
    """The table, one row a sampler and target."""
    ratios = found.ratios()
    for row in found.rows:
        ratio = ratios.get(row.target, {}).get(_label(row), float("nan"))
        numbers = (
            f"{row.chains}",
            f"{row.gradients_per_draw:.1f}",
            _with_spread(row, "ess_min", ".0f"),
            f"{row.ess_median:.0f}",
            _with_spread(row, "rhat_max", ".2f"),
            f"{row.seconds:.1f}",
            _with_spread(row, "ess_min_per_second", ".3g"),
            f"{ratio:.3g}",
            f"{row.code_switches:.2g}",
            f"{row.reference_z:.1f}",
            f"{row.warmup_seconds:.1f}",
            f"{row.compile_seconds:.1f}",
        )
        yield [row.target, _label(row), *(number.replace("nan", "-") for number in numbers)]


def markdown(found: Bench, command: str, note: str = "") -> str:
    """The table, its headline, the command that made it and a note on how, to keep."""
    headline = found.summary()
    table = ["| " + " | ".join(cells) + " |" for cells in (columns(), ["---"] * len(columns()), *lines(found))]
    return "\n".join(
        [
            "# Samplers on named posteriors",
            "",
            f"`{command}`, on {', '.join(dict.fromkeys(row.device for row in found.rows))}.",
            "",
            "ESS is the bulk effective sample size over all recorded invariants and all chains, the smallest and the",
            "median; chains that disagree (R-hat) lower it, to a floor however long they run: 7 or so with four,",
            "more with the many of an ensemble. Seconds are those of the recorded draws, recording included, warm-up",
            "and compilation apart. The ratio is of minimum ESS a second to numpyro's NUTS on all weights; z is the",
            "worst disagreement with the recorded reference.",
            *_of_seeds(found),
            "",
            *([note, ""] if note else []),
            f"Ratio of the default sampler ({'/'.join(DEFAULT)}): geometric mean {headline['geometric_mean']:.3g}, "
            f"smallest {headline['smallest']:.3g}.",
            "",
            *table,
            "",
        ]
    )


def _label(row: Measurement) -> str:
    return f"{row.sampler}/{row.space}"


def _with_spread(row: Measurement, name: str, form: str) -> str:
    """A number of a row, and in brackets the smallest and the largest over seeds."""
    value = format(getattr(row, name), form)
    if name not in row.spread:
        return value
    low, high = row.spread[name]
    return f"{value} ({format(low, form)} to {format(high, form)})"


def _of_seeds(found: Bench) -> list[str]:
    if all(row.seeds == 1 for row in found.rows):
        return []
    return ["Numbers are medians over seeds, in brackets the smallest and the largest."]


def _number(value: Any) -> Any:
    """JSON has no NaN."""
    return float("nan") if value is None else value
