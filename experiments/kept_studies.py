"""A study, kept: its claims, numbers and figures.

    python experiments/kept_studies.py [--name phases] [--dataset cifar10] [--study FOLDER]

Makes `codingschemes study NAME` in build/NAME, or takes one that is made, and writes results/NAME.md, its numbers as
results/NAME.json, and its figures beside them; of another set of images than the study's own, NAME_DATASET.
"""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from entry import ROOT, Entry, Table

from codingschemes.reports import numbers
from codingschemes.studies import STUDIES, study

entry = Entry(__doc__, quick={})
entry.add_argument("--name", default="phases", choices=list(STUDIES))
entry.add_argument("--dataset", help="of studies on images; the study's own if left out")
entry.add_argument("--study", type=Path, help="folder of a study that is complete")
options, out = entry.begin()
own = STUDIES[options.name].quick() if options.quick else STUDIES[options.name]()
folder, dataset = options.study, options.dataset
if folder is not None:
    dataset = json.loads((folder / "study.json").read_text())["sizes"].get("dataset")
if dataset and not hasattr(own, "dataset"):
    entry.error(f"the study {options.name} is not about images: leave --dataset out")
varied: dict[str, Any] = {"dataset": dataset} if dataset else {}
asked = replace(own, **varied)
other = dataset if asked != own else None
name = f"{options.name}_{other}" if other else options.name
if folder is None:
    folder = ROOT / "build" / (f"{name}-quick" if options.quick else name)
    study(asked, folder, notify=print)
found = json.loads((folder / "study.json").read_text())
table = Table("claim", "whose", "measured", "predicted", "sampled", "verdict")
for claim in found["claims"]:
    values = (float("nan") if claim[key] is None else claim[key] for key in ("sampled", "error"))
    cells = [claim[key].replace("|", "\\|") for key in ("claim", "source", "measured", "predicted")]
    table.row(*cells, numbers.with_error(*values), claim["verdict"])
results = [run["result"] for run in found["runs"] if run["result"] is not None]
hours = sum(result["seconds"] for result in results) / 3600
parts = []
for figure, (heading, caption) in found["figures"].items():
    shutil.copyfile(folder / "figures" / f"{figure}.png", out.path(f"results/{name}_{figure}.png"))
    parts.append(f"## {heading}\n\n![{heading}]({name}_{figure}.png)\n\n*{caption}*")
found["numbers"] = [{key: value for key, value in row.items() if value is not None} for row in found["numbers"]]
out.path(f"results/{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
usual = json.loads(json.dumps(asdict(asked)))
differ = {size: value for size, value in found["sizes"].items() if usual.get(size) != value}
sizes = "; ".join(f"`{size}` = {numbers.plain_value(value)}" for size, value in differ.items())
sized = f" Made with sizes other than the study's own: {sizes}." if differ else ""
command = f"{options.name} --dataset {other}" if other else options.name
doubtful = [
    f"{', '.join(f'{key} = {value}' for key, value in run['options'].items())} (R-hat {result['rhat_max']:.2f}, "
    f"of codes {result['code_rhat']:.2f}, {result['ess_min']:.0f} effective draws)"
    for run in found["runs"]
    if (result := run["result"]) is not None and result["trust"] in ("not converged", "no")
]
said = [remark.replace("see the table of runs", "; ".join(doubtful)) for remark in found["remarks"]]
remarks, figures = "\n".join(f"- {remark}" for remark in said), "\n\n".join(parts)
out.page(
    f"results/{name}.md",
    f"""# {found["study"]}{f": {other}" if other else ""}

`codingschemes study {command}` ([what is asked](../docs/studies.md#{options.name}); kept by
`python experiments/kept_studies.py --name {command}`): {len(results)} runs, {hours:.2f} hours on the clock of
sampling.{sized}

{table}

{remarks}

{figures}
""",
)
