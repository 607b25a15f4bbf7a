"""Thousands of seeds, one after the other on each core, with what they break told at once and all of it in the end."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

from tqdm import tqdm

from tests.simulation.verdict import Tally, Verdict, judge_seed

SEEDS_A_PROCESS = 500
"""After so many a process makes room for a new one, should anything in it grow."""

CTRL_C = 130
TOLD_EVERY_S = 60.0
"""How often progress is told where nobody watches it on a terminal."""


def soak(seeds: range, cores: int) -> int:
    """Run seeds on so many cores; return 1 where an invariant was broken, 130 after Ctrl-C."""
    tally = Tally()
    watched = sys.stderr.isatty()
    bar = tqdm(total=len(seeds), unit="seed", smoothing=0.02, mininterval=0.5 if watched else TOLD_EVERY_S)
    os.environ["TQDM_DISABLE"] = "1"  # in the processes to come: the researcher's bars are none of ours
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(cores, context, _leave_ctrl_c, max_tasks_per_child=SEEDS_A_PROCESS)
    ended = 0
    try:
        with bar:
            for verdict in _verdicts(executor, seeds, cores + 1):
                _take(verdict, tally, bar)
    except KeyboardInterrupt:
        print("Ending: what is under way comes to its end and is not counted.", file=sys.stderr)
        ended = CTRL_C
    finally:
        executor.shutdown(cancel_futures=True)
    print(*tally.lines(), *_more(tally, bar.format_dict["elapsed"], cores), sep="\n")
    return ended or bool(tally.broken)


def _leave_ctrl_c() -> None:
    """Leave Ctrl-C to the process that started this one, which lets the seed that runs come to its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _verdicts(executor: ProcessPoolExecutor, seeds: Iterable[int], most: int) -> Iterator[Verdict]:
    """Yield verdicts as they come, with no more than ``most`` seeds under way."""
    left = iter(seeds)
    under_way: set[Future[Verdict]] = {executor.submit(_judged, seed) for seed in itertools.islice(left, most)}
    while under_way:
        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        under_way |= {executor.submit(_judged, seed) for seed in itertools.islice(left, len(done))}
        yield from (future.result() for future in done)


def _judged(seed: int) -> Verdict:
    """Judge a seed; what the simulation itself does not survive is a breach as well."""
    try:
        return judge_seed(seed)
    except Exception as error:  # noqa: BLE001  (one history must not end all others)
        return Verdict(seed, [("the simulation itself", repr(error))], 0.0, 0.0, 0.0, Counter(), 0)


def _take(verdict: Verdict, tally: Tally, bar: tqdm[Verdict]) -> None:
    tally.add(verdict)
    if verdict.breaches:
        tqdm.write(verdict.line, file=sys.stdout)
        sys.stdout.flush()
    bar.set_postfix_str(f"{tally.broken} broken, {tally.worker_hours:,.0f} worker-hours", refresh=False)
    bar.update()


def _more(tally: Tally, took_s: float, cores: int) -> list[str]:
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    pace = f"{tally.worker_hours / max(took_s, 1e-9):,.1f} worker-hours a second"
    return [f"With --cores {cores} it took {took_s:,.0f} s: {pace}; a process had {memory:,.0f} MiB at the most."]
