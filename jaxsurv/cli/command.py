"""Command-line entry points: parse arguments into options, run, return an exit status."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import make_dataclass
from functools import reduce
from importlib import import_module
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import subcommand

from jaxsurv.cli.status import exit_status, silence_output

Main = Callable[..., int]


def command_line(
    run: Callable[[Any], None], presets: Mapping[str, Any], description: str | None
) -> Main:
    """The ``main`` of an experiment: parses options, whose defaults are those of the preset, and runs.

    Args:
        run: the experiment, given its options.
        presets: options by the value of their field ``preset``.
        description: shown by ``--help``.

    Returns:
        ``main(arguments=None) -> exit status``; None = the arguments of the process.
    """

    def main(arguments: Sequence[str] | None = None) -> int:
        """The command line; returns the exit status.

        Args:
            arguments: options as on a command line; None = those of the process.
        """
        names: Any = Literal[*presets]
        alone = make_dataclass("Preset", [("preset", names, "default")])
        chosen, _ = _parsed(alone, args=arguments, return_unknown_args=True, add_help=False)
        defaults = presets[chosen.preset]
        module = run.__module__.removesuffix(".command")
        options = _parsed(
            type(defaults),
            prog=None if module == "__main__" else _program(f"python -m {module}", module),
            args=arguments,
            default=defaults,
            description=description,
        )
        from jaxsurv.cli.launch import launch  # imports JAX

        return launch(run, options)

    return main


def _parsed(kind: Any, **how: Any) -> Any:
    """Options that `tyro.cli` reads; a reader who has enough of ``--help`` ends the command in silence."""
    try:
        return tyro.cli(kind, **how)
    except BrokenPipeError:
        silence_output()
        raise SystemExit(0) from None


def _program(as_module: str, module: str = "") -> str:
    """The command in ``--help``, as it was called: as a module, or by the console command."""
    if Path(sys.argv[0]).name != "jaxsurv":
        return as_module
    return f"jaxsurv {module.rsplit('.', 1)[-1].replace('_', '-')}".rstrip()


def subcommands(
    run: Callable[[Any], None],
    commands: Mapping[str, type],
    prog: str,
    description: str | None,
    arguments: Sequence[str] | None,
) -> int:
    """Parse one of several commands, each with its options, and run; returns the exit status.

    Args:
        run: function called with the options of the command that was named.
        commands: dataclass of options by the name of the command.
        prog, description: shown by ``--help``, the first unless the console command was called.
        arguments: command-line arguments; None = those of the process.
    """
    one_of: Any = reduce(
        or_, (Annotated[kind, subcommand(name)] for name, kind in commands.items())
    )
    options = _parsed(one_of, prog=_program(prog), description=description, args=arguments)
    return exit_status(lambda: run(options))


def import_models(modules: Sequence[str]) -> None:
    """Import the modules that register models of one's own.

    Raises:
        InputError: a module that cannot be imported.
    """
    from jaxsurv.types import InputError  # imports JAX

    for module in modules:
        try:
            import_module(module)
        except ImportError as error:
            raise InputError(f"--models {module}: it cannot be imported: {error}") from error
