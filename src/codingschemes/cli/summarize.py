import click


@click.command()
def summarize() -> None:
    """Later."""
