"""The command `codingschemes`: words to calls, results to tables or JSON."""

import sys
from pathlib import Path

import click

from codingschemes.cli.bench import bench
from codingschemes.cli.compare import compare
from codingschemes.cli.demo import demo
from codingschemes.cli.evidence import evidence
from codingschemes.cli.manifolds import manifolds
from codingschemes.cli.output import in_flags
from codingschemes.cli.predict import predict
from codingschemes.cli.report import report
from codingschemes.cli.sample import sample
from codingschemes.cli.summarize import summarize
from codingschemes.cli.sweep import sweep
from codingschemes.errors import InvalidInput
from codingschemes.runs import SamplingFailed


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="codingschemes")
def commands() -> None:
    """Which coding scheme does a neural network learn?

    Samples the posterior over its weights (the L2-regularised loss read as a negative log posterior) and looks at
    single neurons: analog, redundant or sparse. Start with `codingschemes demo`.
    """


for command in (demo, sample, summarize, predict, compare, report, sweep, bench, evidence, manifolds):
    commands.add_command(command)


def main() -> None:
    """Run the command line: status 0, 2 with one sentence for wrong input, 1 for a failure."""
    sys.path.append(str(Path.cwd()))  # where --activation module:function finds a module
    try:
        status = commands(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        status = 2
    except click.Abort:
        click.echo("codingschemes: stopped", err=True)
        status = 1
    except click.ClickException as error:
        status = _refuse(error.format_message())
    except InvalidInput as error:
        status = _refuse(str(error))
    except SamplingFailed as error:
        click.echo(f"codingschemes: {in_flags(str(error))}", err=True)
        status = 1
    sys.exit(status if isinstance(status, int) else 0)


def _refuse(sentence: str) -> int:
    click.echo(f"codingschemes: {in_flags(' '.join(sentence.split()))}", err=True)
    return 2
