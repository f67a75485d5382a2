"""The command line, with errors that people can read. Imports no JAX: ``--help`` must be instant."""

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any

import tyro
from tyro.conf import subcommand


def command_line(
    run: Callable[[Any], None],
    preset: type,
    presets: Mapping[str, Any],
    description: str | None,
    arguments: Sequence[str] | None,
) -> int:
    """Parse the options, whose defaults are those of the preset, and run; returns the exit status.

    Args:
        run: the experiment, given its options.
        preset: dataclass with the single field ``preset``, which the options inherit.
        presets: options by the name of the preset.
        description: shown by ``--help``.
        arguments: of the command line; None = those of the process.
    """
    chosen, _ = tyro.cli(preset, args=arguments, return_unknown_args=True, add_help=False)
    defaults = presets[chosen.preset]
    options = tyro.cli(type(defaults), args=arguments, default=defaults, description=description)
    from jaxsurv.study.launch import launch

    return launch(run, options)


def subcommands(
    run: Callable[[Any], None],
    commands: Mapping[str, type],
    prog: str,
    description: str | None,
    arguments: Sequence[str] | None,
) -> int:
    """Parse one of several commands, each with its options, and run; returns the exit status.

    Args:
        run: is given the options of the command that was named.
        commands: dataclass of options by the name of the command.
        prog, description: shown by ``--help``.
        arguments: of the command line; None = those of the process.
    """
    one_of: Any = reduce(
        or_, (Annotated[kind, subcommand(name)] for name, kind in commands.items())
    )
    options = tyro.cli(one_of, prog=prog, description=description, args=arguments)
    return exit_status(lambda: run(options))


def exit_status(action: Callable[[], None]) -> int:
    """Run ``action``; 0, 2 after an ``InputError`` (its message on stderr), 130 after Ctrl-C."""
    from jaxsurv.types import InputError

    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    try:
        action()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        warnings.formatwarning = before
    return 0
