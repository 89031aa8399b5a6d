"""Abstraction against penalty and alignment, with controls: the study of that name, kept.

    python experiments/abstraction.py [--study FOLDER]

Makes `codingschemes study abstraction` in build/abstraction, or takes one that is made, and writes its claims, numbers
and figures to results/abstraction.md, .json, and abstraction_penalty.png and abstraction_alignment.png.
"""

import json
import shutil
from pathlib import Path

from entry import ROOT, Entry, Table

from codingschemes.reports import numbers
from codingschemes.studies import Abstraction, study

FIGURES = {"against_penalty": "penalty", "against_alignment": "alignment"}

entry = Entry(__doc__, quick={})
entry.add_argument("--study", type=Path, help="folder of a study that is complete")
options, out = entry.begin()
folder = options.study
if folder is None:
    folder = ROOT / "build" / ("abstraction-quick" if options.quick else "abstraction")
    study(Abstraction.quick() if options.quick else Abstraction(), folder, notify=print)
found = json.loads((folder / "study.json").read_text())
table = Table("claim", "whose", "measured", "predicted", "sampled", "verdict")
for claim in found["claims"]:
    values = (float("nan") if claim[name] is None else claim[name] for name in ("sampled", "error"))
    cells = [claim[name] for name in ("claim", "source", "measured", "predicted")]
    table.row(*cells, numbers.with_error(*values), claim["verdict"])
results = [run["result"] for run in found["runs"] if run["result"] is not None]
hours = sum(result["seconds"] for result in results) / 3600
for name, ending in FIGURES.items():
    shutil.copyfile(folder / "figures" / f"{name}.png", out.path(f"results/abstraction_{ending}.png"))
out.path("results/abstraction.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
remarks = "\n".join(f"- {remark}" for remark in found["remarks"])
out.page(
    "results/abstraction.md",
    f"""# Abstraction against penalty and alignment

`codingschemes study abstraction` ([what is asked](../docs/studies.md#abstraction); kept by
`python experiments/abstraction.py`): {len(results)} runs, {hours:.2f} hours on the clock of sampling.

{table}

{remarks}

![scores against the penalty](abstraction_penalty.png)

*Curves: global minima, by closed form or solved. Points: networks sampled near them, with standard errors. Where a
curve is missing the score does not exist.*

![scores against the alignment of inputs](abstraction_alignment.png)

*Inputs with the Gram matrix X Xᵀ + g V Vᵀ, V the labels or their XOR. Dotted: the inputs themselves.*
""",
)
