"""The command `codingschemes`: words to calls, results to tables or JSON."""

import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from codingschemes.cli.output import UNFINISHED, in_flags
from codingschemes.errors import InvalidInput, SamplingFailed, Stopped, TimeLimitReached, is_out_of_memory
from codingschemes.precision import DOUBLE
from codingschemes.registry import unknown

#: The commands in the order of `--help`, and what each is for. Its module, of the same name, is imported when it runs.
COMMANDS = {
    "demo": "The main job, small: four networks sampled, named, set against theory.",
    "sample": "Sample a posterior into a run folder.",
    "summarize": "Say which coding scheme a sampled run shows.",
    "predict": "Say what a theory predicts for a posterior.",
    "compare": "Set a run against a theory.",
    "report": "Write one self-contained HTML page about a run.",
    "status": "Say how far a run or a sweep is, while it is made.",
    "check": "Say whether a run folder is whole, and repair it.",
    "sweep": "Make all runs of a file, and one table of them.",
    "study": "Answer a question by many runs: figures, and a table of claims.",
    "bench": "Measure samplers on named posteriors.",
    "evidence": "Estimate the log evidence of a network on a task.",
    "describe": "Say which coding scheme any population of neurons uses: nothing is sampled.",
    "distances": "Compare populations of neurons two by two.",
    "manifolds": "Sets of weights that gradient flow never leaves.",
}


#: Objects that are made before those that nobody holds are looked for: tracing makes hundreds of thousands that stay.
_OBJECTS = 100_000


class Commands(click.Group):
    """Commands that are imported when they are asked for: help and wrong words cost no import of JAX."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        return getattr(import_module(f"codingschemes.cli.{cmd_name}"), cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:  # click would begin its sentence with an empty line
            raise _Halted(error) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise unknown("command", args[0], list(COMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class _Halted(Exception):
    """A signal stopped a command."""

    def __init__(self, interruption: KeyboardInterrupt):
        self.sentence = in_flags(str(interruption)) or "stopped"
        self.kept = isinstance(interruption, Stopped) and interruption.kept


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="codingschemes")
def commands() -> None:
    """Which coding scheme does a neural network learn?

    Samples the posterior over its weights (the L2-regularised loss read as a negative log posterior) and looks at
    single neurons: analog, redundant or sparse. Start with `codingschemes demo`.
    """


def main() -> None:
    """Run the command line: status 0, 2 with one sentence for wrong input, 1 for a failure.

    A run that a signal stopped and that can be continued is no failure; with `--json`, where a script decides what is
    next, its status is `UNFINISHED`.
    """
    # read by JAX where a command imports it, here and in processes of its own
    os.environ.update({name.upper(): str(value) for name, value in DOUBLE.items()})
    gc.set_threshold(_OBJECTS)
    sys.path.append(str(Path.cwd()))  # where --activation module:function finds a module
    try:
        status = commands(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        status = 2
    except _Halted as halted:
        click.echo(f"codingschemes: {halted.sentence}", err=True)
        status = (UNFINISHED if "--json" in sys.argv else 0) if halted.kept else 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("codingschemes: stopped", err=True)
        status = 1
    except click.ClickException as error:
        status = _refuse(error.format_message())
    except InvalidInput as error:
        status = _refuse(str(error))
    except (SamplingFailed, TimeLimitReached) as error:
        click.echo(f"codingschemes: {in_flags(str(error))}", err=True)
        status = 1
    except BrokenPipeError:  # whoever reads what is printed has seen enough
        sys.stdout = None
        status = 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        said = error.strerror or error
        click.echo(f"codingschemes: {where}{said}; make room or give access there, or choose another place", err=True)
        status = 1
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        click.echo("codingschemes: memory ran out: ask for less at once, or take a larger machine", err=True)
        status = 1
    gc.freeze()  # the process ends: what it holds need not be taken apart first, which takes a second after a run
    sys.exit(status if isinstance(status, int) else 0)


def _refuse(sentence: str) -> int:
    click.echo(f"codingschemes: {in_flags(' '.join(sentence.split()))}", err=True)
    return 2
