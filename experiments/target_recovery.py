"""When does a wide student recover a narrow teacher from fewer samples than it has weights?

    python experiments/target_recovery.py

Teacher: two tanh neurons, five inputs (12 weights). Student: thirty (180 weights), trained by gradient descent from
small and from large weights on growing numbers of samples. Writes results/target_recovery.md, .json and .png: test
error and effective widths at the end, and the widths that training passes.
"""

import numpy as np
from claims import Claim
from entry import Entry, Table
from figures import redraw

from codingschemes.studies.manifolds.recovery import Lessons, recover
from codingschemes.studies.manifolds.training import TOLERANCE

SAMPLES, SIZES = (6, 9, 12, 16, 24, 48), (1e-6, 0.5)
LESSONS = Lessons(most=SAMPLES[-1])

entry = Entry(__doc__, quick={"teachers": 1, "steps": 200})
entry.add_argument("--teachers", type=int, default=3)
entry.add_argument("--steps", type=int, default=50_000)
options, out = entry.begin()
SEEDS = range(options.teachers)

table = Table("initial size", "samples", "training error", "test error", "strict", "direction", "fewest")
curves: dict[float, list[float]] = {size: [] for size in SIZES}
passing: dict[float, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
for size in SIZES:
    for count in SAMPLES:
        found = [recover(LESSONS, size, count, seed, options.steps) for seed in SEEDS]
        means = np.mean([each[1:6] for each in found], axis=0)
        curves[size].append(float(means[1]))
        table.row(f"{size:g}", count, f"{means[0]:.1e}", f"{means[1]:.3f}", *(f"{mean:.1f}" for mean in means[2:]))
    series = found[0].series()
    passing[size] = (
        np.asarray(found[0].path.step),
        np.array([each.strict[0] for each in series]),
        np.array([each.direction[0] for each in series]),
    )

kept = {
    f"{size:g}": {"test_error": curves[size], **dict(zip(("step", "strict", "direction"), passing[size], strict=True))}
    for size in SIZES
}
values = {
    "samples": SAMPLES,
    "teachers": len(SEEDS),
    "weights": LESSONS.teacher_weights,
    "tolerance": TOLERANCE,
    "from": kept,
}
out.numbers("results/target_recovery.json", values)
redraw("target_recovery", out.root)
out.page(
    "results/target_recovery.md",
    f"""# Recovery of a narrow teacher

`python experiments/target_recovery.py`: teacher of {LESSONS.teacher} tanh neurons and {LESSONS.inputs} inputs
({LESSONS.teacher_weights} weights), student of {LESSONS.width} ({LESSONS.student_weights} weights), gradient descent,
{options.steps} steps at rate 0.3 / samples. Means over {len(SEEDS)} teachers; errors relative to the variance of the
target; effective widths at tolerance 0.1, strict on (a, w) and of the directions of w, and the fewest directions that
training passes.

{table}

![test error and widths](target_recovery.png)
""",
)
few = SAMPLES.index(24)
out.claims(
    [
        Claim(
            f"A student of {LESSONS.student_weights} weights recovers a teacher of {LESSONS.teacher_weights} from "
            f"{SAMPLES[few]} samples if it starts small (relative test error)",
            "Zhao, Luo & Zhang",
            "below 1",
            f"{curves[SIZES[0]][few]:.3f}",
            note=f"from large weights: {curves[SIZES[1]][few]:.1f}",
        )
    ]
)
