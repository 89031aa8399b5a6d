"""A study, kept: its claims, numbers and figures.

    python experiments/kept_studies.py [--name phases] [--study FOLDER]

Makes `codingschemes study NAME` in build/NAME, or takes one that is made, and writes results/NAME.md, its numbers as
results/NAME.json, and its figures beside them.
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from entry import ROOT, Entry, Table

from codingschemes.reports import numbers
from codingschemes.studies import STUDIES, study

entry = Entry(__doc__, quick={})
entry.add_argument("--name", default="phases", choices=list(STUDIES))
entry.add_argument("--study", type=Path, help="folder of a study that is complete")
options, out = entry.begin()
name, folder = options.name, options.study
if folder is None:
    folder = ROOT / "build" / (f"{name}-quick" if options.quick else name)
    study(STUDIES[name].quick() if options.quick else STUDIES[name](), folder, notify=print)
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
own = json.loads(json.dumps(asdict(STUDIES[name].quick() if options.quick else STUDIES[name]())))
differ = {size: value for size, value in found["sizes"].items() if own.get(size) != value}
sizes = "; ".join(f"`{size}` = {numbers.plain_value(value)}" for size, value in differ.items())
sized = f" Made with sizes other than the study's own: {sizes}." if differ else ""
remarks, figures = "\n".join(f"- {remark}" for remark in found["remarks"]), "\n\n".join(parts)
out.page(
    f"results/{name}.md",
    f"""# {found["study"]}

`codingschemes study {name}` ([what is asked](../docs/studies.md#{name}); kept by
`python experiments/kept_studies.py --name {name}`): {len(results)} runs, {hours:.2f} hours on the clock of
sampling.{sized}

{table}

{remarks}

{figures}
""",
)
