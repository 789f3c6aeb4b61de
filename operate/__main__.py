"""The commands: see the package. Exit code 1: it was not done, and the sentence says why."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operate import adopting, kept
from operate.kept import STAGES, Names, Refused, stack_of

PYTHON = ".venv/bin/python"


def deployed(stage: str) -> None:
    """Say how a stage's stack is used, whose deploy may just have been called off."""
    bucket = kept.output(stack_of(stage), "Bucket")
    print(f"{stack_of(stage)} is deployed. Files that are put below uploads/ in the bucket {bucket} are loaded.")
    print(f"Its commands: export STOCKTRAIL_STACK={stack_of(stage)}, and then {PYTHON} -m services --help")
    print(f"Its dashboard on this machine: STOCKTRAIL_STACK={stack_of(stage)} make run")


def destroy(stage: str) -> None:
    """Delete a stage's stack, and say what stays."""
    stack, file = stack_of(stage), STAGES / f"{stage}.kept.json"
    names = kept.names_in(stack)
    print(f"This deletes the stack {stack}: nothing is loaded any more, and nobody can sign in.")
    print("A dashboard that is hosted for it has a stack of its own, which has to go first (docs/hosting.md).")
    print(f"These stay:\n{told(names)}" if names else "It holds nothing that stays.")
    _typed(stage, f"To delete it, type {stage}: ")
    if names:
        kept.save(file, names)
    kept.delete(stack)
    print(f"The stack {stack} is deleted.")
    if names:
        print(f"What stays, with all that is in it, is listed in {file}, and costs its storage.")
        print(
            f"  To take it up in a new stack:  {PYTHON} -m operate adopt {stage} {file}, then make deploy STAGE={stage}"
        )
        print(f"  To remove it too, for good:    {PYTHON} -m operate erase {stage} {file}")


def restore(stage: str, at: datetime | None) -> None:
    """Make new tables of what a stage's tables held at a moment. Changes nothing of what is there."""
    file = STAGES / f"{stage}.restored.json"
    kept.save(file, names := kept.copies(stack_of(stage), at))
    print(f"Restored, beside what is there, and listed in {file}:\n{told(names)}")
    print(f"Next: make destroy STAGE={stage}; {PYTHON} -m operate adopt {stage} {file}; make deploy STAGE={stage}")


def adopt(stage: str, file: Path) -> None:
    """Begin a stage's stack with what is listed in a file."""
    names = kept.load(file)
    adopting.adopt(stack_of(stage), kept.template(), names)
    print(f"The stack {stack_of(stage)} holds these:\n{told(names)}\nNext: make deploy STAGE={stage}")


def erase(stage: str, file: Path) -> None:
    """Delete for good what is listed in a file."""
    names = kept.load(file)
    print(f"This deletes for good, with all that was ever uploaded:\n{told(names)}")
    _typed(f"erase {stage}", f"To delete all of it, type erase {stage}: ")
    kept.erase(names)
    file.unlink()
    print("It is gone.")


def told(names: Names) -> str:
    return "\n".join(f"  {name:18} {physical}" for name, physical in names.items())


def _typed(wanted: str, question: str) -> None:
    print(question, end="", flush=True)
    if sys.stdin.readline().strip() != wanted:
        raise Refused("Nothing was done.")


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_COMMANDS: dict[str, Callable[..., None]] = {
    "deployed": deployed, "destroy": destroy, "restore": restore, "adopt": adopt, "erase": erase,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m operate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in _COMMANDS:
        command = commands.add_parser(name)
        command.add_argument("stage")
        if name in ("adopt", "erase"):
            command.add_argument("file", type=Path)
    commands.choices["restore"].add_argument("--at", type=_moment, help="such as “2026-11-28 03:00”, UTC")
    given = vars(parser.parse_args(arguments))
    boto3.setup_default_session(region_name=os.environ.get("AWS_REGION"))  # which boto3 does not look at
    try:
        _COMMANDS[given.pop("command")](**given)
    except (Refused, BotoCoreError, ClientError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
