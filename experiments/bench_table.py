"""One table from several calls of the bench: benchmarks/bench.{json,md,png}.

    codingschemes bench --suite toy --samplers codes,nuts/weights --seconds 60 --warmup 200 --out toy.json
    codingschemes bench --suite cifar10-sigmoid-1e-3 --seconds 120 --warmup 30 --out cifar10.json
    python experiments/bench_table.py toy.json cifar10.json [--note "how they were made"]

Rows are ordered as the targets are; disagreements are taken with the references as they are recorded now.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from codingschemes.benchmark import TARGETS, Bench
from codingschemes.benchmark.figure import draw_ratios
from codingschemes.benchmark.measure import worst_z
from codingschemes.benchmark.table import markdown, read_references
from codingschemes.cli.output import plain
from codingschemes.runs.run import write_json

KEPT = Path(__file__).parents[1] / "benchmarks"

parser = argparse.ArgumentParser()
parser.add_argument("parts", nargs="+", type=Path)
parser.add_argument("--note", default="")
options = parser.parse_args()

references = read_references()
rows = [row for part in options.parts for row in Bench.from_json(json.loads(part.read_text())).rows]
order = list(TARGETS)
rows.sort(key=lambda row: order.index(row.target))
found = Bench(tuple(replace(row, reference_z=worst_z(row.means, references.get(row.target))) for row in rows))
write_json(KEPT / "bench.json", plain(found.to_json()))
command = "codingschemes bench --suite TARGETS --samplers SAMPLERS --seconds SECONDS --warmup WARMUP"
(KEPT / "bench.md").write_text(markdown(found, command, options.note))
draw_ratios(found, KEPT / "bench.png")
print(found.summary())
