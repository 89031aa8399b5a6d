"""What the suite `accelerator` has found, as tables."""

from codingschemes.benchmark.accelerator import Z_LIMIT, DeviceFindings, DeviceRow

type Titled = tuple[str, list[str], list[list[str]]]


def tables(found: DeviceFindings) -> list[Titled]:
    """(title, columns, lines) of all there is to say."""
    answer = {None: "not measured", True: "yes", False: f"no: a |z| of {Z_LIMIT} or more"}[found.correct]
    facts = [
        *([f"device, {place}", name] for place, name in found.devices.items()),
        *(
            [
                f"matrix products, {place}",
                f"{rates['double']:.3g} operations a second, in float32 {rates['single']:.3g}",
            ]
            for place, rates in found.limits.items()
        ),
        *([f"saturated, {name}", f"{chains} chains"] for name, chains in found.saturation().items()),
        ["invariants agree with the references", answer],
        ["took", f"{found.seconds:.0f} s"],
        *(["left out", each] for each in found.missing),
    ]
    return [
        ("accelerator", ["", ""], facts),
        (
            "invariants against recorded references, codes",
            ["target", "precision", "largest |z|", "R-hat", "gradients a draw"],
            [
                [row["target"], row["precision"], *_numbers(row, "z", "rhat_max", "gradients_per_draw")]
                for row in found.of("correct")
            ],
        ),
        (
            "gradients a second, sigmoid, reduced form",
            ["place", "N = P", "precision", "chains", "all chains' gradients a second", "share of the limit"],
            [
                [
                    row["place"], str(row["size"]), row["precision"], str(row["chains"]),
                    f"{row['gradients_per_second']:.3g}", f"{found.share_of_limit(row):.2f}",
                ]
                for row in found.of("gradients")
            ],
        ),
        (
            "effective draws a second, sigmoid, T = 1e-3",
            ["place", "N = P", "sampler", "chains", "min ESS a second", "R-hat", "draws", "seconds", "over the CPU"],
            [
                [
                    row["place"], str(row["size"]), row["sampler"], str(row["chains"]),
                    *_numbers(row, "ess_min_per_second", "rhat_max", "draws", "seconds"), f"{found.speedup(row):.3g}",
                ]
                for row in found.of("sampler")
            ],
        ),
    ]  # fmt: skip


def _numbers(row: DeviceRow, *names: str) -> list[str]:
    return ["-" if row[name] is None else f"{row[name]:.3g}" for name in names]


def markdown(found: DeviceFindings, command: str) -> str:
    """All tables and the command that made them, to keep."""
    parts = [f"# An accelerator\n\n`{command}`\n\nESS, R-hat and z as in the table of samplers (bench.md)."]
    for title, columns, lines in tables(found):
        rows = [columns, ["---"] * len(columns), *lines]
        parts.append(f"## {title}\n\n" + "\n".join("| " + " | ".join(cells) + " |" for cells in rows))
    return "\n\n".join(parts) + "\n"
