"""One table from several calls of the bench: benchmarks/bench.{json,md,png}.

    codingschemes bench --suite toy --samplers codes,nuts/weights --seconds 60 --warmup 200 --out toy.json
    codingschemes bench --suite cifar10-sigmoid-1e-3 --seconds 120 --warmup 30 --out cifar10.json
    python experiments/bench_table.py toy.json cifar10.json [--note "how they were made"]

Without files it is made again from benchmarks/bench.json. Rows are ordered as the targets are; disagreements are taken
with the references as they are recorded now.
"""

import json
from dataclasses import replace
from pathlib import Path

from entry import ROOT, Entry

from codingschemes.benchmark import TARGETS, Bench
from codingschemes.benchmark.figure import draw_ratios
from codingschemes.benchmark.measure import worst_z
from codingschemes.benchmark.table import markdown, read_references
from codingschemes.cli.output import plain
from codingschemes.runs.run import write_json

entry = Entry(__doc__, quick={})
entry.add_argument("parts", nargs="*", type=Path, default=[ROOT / "benchmarks" / "bench.json"])
entry.add_argument("--note", default="")
options, out = entry.begin()

references = read_references()
rows = [row for part in options.parts for row in Bench.from_json(json.loads(part.read_text())).rows]
order = list(TARGETS)
rows.sort(key=lambda row: order.index(row.target))
found = Bench(tuple(replace(row, reference_z=worst_z(row.means, references.get(row.target))) for row in rows))
write_json(out.path("benchmarks/bench.json"), plain(found.to_json()))
command = "codingschemes bench --suite TARGETS --samplers SAMPLERS --seconds SECONDS --warmup WARMUP"
out.page("benchmarks/bench.md", markdown(found, command, options.note))
draw_ratios(found, out.path("benchmarks/bench.png"))
print(found.summary())
