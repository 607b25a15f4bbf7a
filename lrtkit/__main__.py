"""The command ``python -m lrtkit``: an experiment from the shell, for servers and scripts without a notebook.

It ends with 0 where all went well, 1 where jobs have failed or not ended though they were to, 2 where
the input is wrong, and 3 where a service does not answer or lets nobody in.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from lrtkit.autoscaler import command
from lrtkit.connection import connect
from lrtkit.queues import Role, Verdict, doctor
from lrtkit.wire.errors import BadInput, Denied, LrtError, NotFound, Unavailable

try:
    import pandas as pd

    from lrtkit import printing
    from lrtkit.experiment import Experiment
    from lrtkit.printing import Form
    from lrtkit.progress.story import Story
except ModuleNotFoundError as error:  # the core alone is installed, as for a worker
    lacking = f"{error.name}, which is not installed in {sys.executable}"
    sys.stderr.write(f"python -m lrtkit needs {lacking}. Try: pip install -e '.[all]'\n")
    sys.exit(2)

FINE, UNFINISHED, BAD_INPUT, NO_SERVICE = range(4)

_INTERRUPTED = 130  # as a shell says it


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a failure is told on standard error."""
    arguments = _parser().parse_args(words)
    try:
        if arguments.command == command.NAME:
            return command.run(arguments)
        answer = _doctor(arguments) if arguments.command == "doctor" else _experiment(arguments)
        _print(answer, arguments.form)
    except LrtError as error:
        sys.stderr.write(f"{error}\n")
        return _code(error)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Try: the same command again, which goes on where this one ended\n")
        return _INTERRUPTED
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    return UNFINISHED if getattr(arguments, "check", False) and not _all_well(answer) else FINE


def _experiment(arguments: argparse.Namespace) -> pd.DataFrame | Story:
    return _COMMANDS[arguments.command](Experiment(arguments.experiment, connect(arguments.env_file)), arguments)


def _doctor(arguments: argparse.Namespace) -> pd.DataFrame:
    diagnosis = doctor(arguments.env_file, role=arguments.role, plan_days=arguments.days, prefix=arguments.prefix)
    return diagnosis.frame.set_index("check")


def _code(error: LrtError) -> int:
    if isinstance(error, BadInput):
        return BAD_INPUT
    return NO_SERVICE if isinstance(error, (Unavailable, Denied, NotFound)) else UNFINISHED


def _print(answer: pd.DataFrame | Story, form: Form | None) -> None:
    chosen = form or (Form.TABLE if isinstance(answer, Story) or sys.stdout.isatty() else Form.CSV)
    told = [printing.story(answer, chosen)] if isinstance(answer, Story) else printing.frame(answer, chosen)
    sys.stdout.writelines(told)
    sys.stdout.flush()


def _all_well(answer: pd.DataFrame | Story) -> bool:
    if isinstance(answer, Story):
        return True
    if "verdict" in answer:
        return not bool((answer["verdict"] == Verdict.WRONG).any())
    return bool((answer["state"] == "done").all())


def _status(experiment: Experiment, *, check: bool) -> pd.DataFrame:
    """Return where each job stands; to ``check`` an experiment without jobs is a slip in its name, and no success."""
    status = experiment.status()
    if check and status.empty:
        there = f"bucket {experiment.cloud.store.bucket}"
        raise BadInput(f"experiment {experiment.name} has no jobs in {there}. Try: mend the name, or submit some")
    return status


def _purge(experiment: Experiment, confirm: str | None) -> pd.DataFrame:
    """Purge, say in a sentence what that does, and return the frame; raise BadInput where nothing was confirmed."""
    told = experiment.purge(confirm=confirm)
    if confirm is None:
        raise BadInput(told.text)
    sys.stderr.write(f"{told.text}\n")
    return told.frame


def _ids(given: Sequence[str]) -> list[str]:
    """Return ids; ``-`` stands for those on standard input, one a line."""
    return [each for word in given for each in (sys.stdin.read().split() if word == "-" else [word])]


Answer = Callable[[Experiment, argparse.Namespace], "pd.DataFrame | Story"]

_COMMANDS: Mapping[str, Answer] = {
    "submit": lambda exp, given: exp.submit(given.table, required=given.required, replicas=given.replicas),
    "diff": lambda exp, given: exp.diff(given.table, required=given.required),
    "status": lambda exp, given: _status(exp, check=given.check),
    "wait": lambda exp, given: exp.wait(given.timeout),
    "results": lambda exp, _: exp.results(),
    "artifacts": lambda exp, given: exp.artifacts(_ids(given.ids), given.to),
    "why": lambda exp, given: exp.why(given.job_id),
    "cancel": lambda exp, given: exp.cancel(_ids(given.ids)),
    "retry": lambda exp, given: exp.retry(_ids(given.ids)),
    "dead-letters": lambda exp, _: exp.dead_letters(),
    "depth": lambda exp, given: exp.depth(past_h=given.past),
    "purge": lambda exp, given: _purge(exp, given.confirm),
}

_HELP = {
    "submit": "send the rows of a CSV that are not known yet as jobs",
    "diff": "tell what submit would do, and send nothing",
    "status": "tell where each job stands",
    "wait": "wait until every job has ended; fails unless all are done",
    "results": "tell each job's fields and result",
    "artifacts": "list the files of jobs' results, or download them",
    "why": "tell a job's story",
    "cancel": "cancel jobs",
    "retry": "give failed or cancelled jobs another chance",
    "dead-letters": "tell which messages were set aside, and why",
    "depth": "tell how many messages wait, are in flight, are delayed and lie dead",
    "purge": "remove an experiment for good; without --confirm, tell what that would remove and fail with 2",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lrtkit", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    command.add_to(commands)
    made = {name: commands.add_parser(name, help=what, description=what) for name, what in _HELP.items()}
    for each in made.values():
        each.add_argument("--experiment", required=True, metavar="NAME", help="what the set of jobs is called")
        each.add_argument("--env-file", metavar="FILE", help="default: .lrt/submitter.env, else the environment")
    made["doctor"] = _add_doctor(commands)
    for each in made.values():
        _add_forms(each)
    for name in ("submit", "diff"):
        made[name].add_argument("table", help="a CSV, a row a job")
        made[name].add_argument("--required", nargs="*", default=["steps"], help="columns of each job (default: steps)")
    made["submit"].add_argument(
        "--replicas", type=int, metavar="COUNT", help="workers at hand (default: those that run)"
    )
    made["why"].add_argument("job_id", help="with or without the experiment's name before it")
    made["artifacts"].add_argument("--to", metavar="FOLDER", help="download them, into a folder for each job")
    for name in ("artifacts", "cancel", "retry"):
        made[name].add_argument("ids", nargs="+", help="jobs; - reads them from standard input")
    made["depth"].add_argument(
        "--past", type=float, default=0, metavar="HOURS", help="with the readings kept in so many hours (default: 0)"
    )
    made["purge"].add_argument("--confirm", metavar="NAME", help="the experiment's name once more")
    made["status"].add_argument("--check", action="store_true", help="fail with 1 unless all jobs are done")
    made["wait"].add_argument("--timeout", type=float, metavar="SECONDS", help="how long (default: for ever)")
    made["wait"].set_defaults(check=True)
    return parser


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    what = "try, without harm, what an env file's keys must and must not be able to do; fails with 1 where it is wrong"
    parser = commands.add_parser("doctor", help=what, description=what)
    parser.add_argument("env_file", metavar="FILE", help="such as keys/worker.env")
    parser.add_argument("--role", choices=list(Role), help="whose file it is (default: as it is called)")
    parser.add_argument("--days", type=float, help="how long the campaign is to take")
    parser.add_argument("--prefix", default="", help="all that a temporary key may use of the bucket, such as argon/")
    parser.set_defaults(check=True)
    return parser


def _add_forms(parser: argparse.ArgumentParser) -> None:
    forms = parser.add_mutually_exclusive_group()
    for form in Form:
        forms.add_argument(
            f"--{form}", dest="form", action="store_const", const=form, help=f"write {form}, wherever it goes"
        )


if __name__ == "__main__":
    sys.exit(main())
