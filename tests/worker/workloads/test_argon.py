"""The workload: an interruption leaves no trace, the averages are the published ones, bad jobs are refused."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lrtkit.wire.errors import InvalidJob
from lrtkit.wire.workload import Checkpoint
from worker.workloads import argon

DATA = Path(__file__).parents[3] / "notebooks" / "data"
JOB: dict[str, Any] = {
    "temperature": 2.0,
    "density": 0.5,
    "steps": 780,
    "equilibration": 330,
    "seed": 7,
    "particles": 108,
    "cutoff": 2.4,
}
YIELDS = [100, 200, 300, 330, 430, 530, 630, 730, 780]


def finish(job: dict[str, Any], checkpoint: Checkpoint | None = None) -> tuple[list[Checkpoint], dict[str, float]]:
    """Run a job to its end; return what it yielded and its result."""
    running, yielded = argon.run(job, checkpoint), []
    while True:
        try:
            yielded.append(next(running))
        except StopIteration as end:
            return yielded, end.value


def saved(checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    """Return a checkpoint as it comes back from a bucket: from JSON text, and files under other names."""
    folder.mkdir()
    files = {}
    for number, (name, write) in enumerate(checkpoint.files.items()):
        assert callable(write)
        write(folder / str(number))
        files[name] = folder / str(number)
    return Checkpoint(json.loads(json.dumps(checkpoint, allow_nan=False)), files)


@pytest.fixture(scope="module")
def uninterrupted() -> tuple[list[Checkpoint], dict[str, float]]:
    """What JOB yields and returns when nothing happens to it."""
    return finish(JOB)


def test_progress_is_told_every_hundred_steps(uninterrupted: tuple[list[Checkpoint], dict[str, float]]) -> None:
    """A job yields every 100 steps, at the end of its equilibration and at its end, and nothing leaves JSON."""
    assert [checkpoint["step"] for checkpoint in uninterrupted[0]] == YIELDS
    assert json.loads(json.dumps(uninterrupted[1], allow_nan=False)) == uninterrupted[1]


@pytest.mark.parametrize("cut", range(len(YIELDS)))
def test_an_interruption_leaves_no_trace(
    cut: int, uninterrupted: tuple[list[Checkpoint], dict[str, float]], tmp_path: Path
) -> None:
    """Cut at any yield, the job goes on from JSON and files to the same result, to the last bit."""
    running = argon.run(JOB, None)
    for _ in range(cut + 1):
        checkpoint = next(running)
    running.close()
    yielded, result = finish(JOB, saved(checkpoint, tmp_path / "cut"))
    assert [later["step"] for later in yielded] == YIELDS[cut + 1 :]
    assert result == uninterrupted[1]


def test_interruptions_at_every_yield_leave_no_trace(
    uninterrupted: tuple[list[Checkpoint], dict[str, float]], tmp_path: Path
) -> None:
    """A job that never gets farther than one yield ends with the same result."""
    checkpoint = None
    for step in YIELDS:
        checkpoint = saved(next(argon.run(JOB, checkpoint)), tmp_path / str(step))
    assert finish(JOB, checkpoint) == ([], uninterrupted[1])


def test_a_checkpoint_written_late_is_still_that_of_its_yield(
    uninterrupted: tuple[list[Checkpoint], dict[str, float]], tmp_path: Path
) -> None:
    """The files of an early checkpoint do not change while the job goes on."""
    early = uninterrupted[0][YIELDS.index(200)]
    assert finish(JOB, saved(early, tmp_path / "late"))[1] == uninterrupted[1]


@pytest.mark.parametrize("lost", ["positions.npy", "velocities.npy", "samples.npy", "random", "step"])
def test_every_part_of_the_state_matters(
    lost: str, uninterrupted: tuple[list[Checkpoint], dict[str, float]], tmp_path: Path
) -> None:
    """With any part of the state taken from an earlier checkpoint, the result would be another one."""
    earlier, later = (saved(uninterrupted[0][YIELDS.index(step)], tmp_path / str(step)) for step in (100, 200))
    if lost in later.files:
        later.files[lost] = earlier.files[lost]
    else:
        later[lost] = earlier[lost]
    assert finish(JOB, later)[1] != uninterrupted[1]


def test_the_averages_begin_after_the_equilibration(
    uninterrupted: tuple[list[Checkpoint], dict[str, float]], tmp_path: Path
) -> None:
    """At the end of the equilibration its samples are dropped, and one is taken every ten steps from there."""
    for step, samples in [(300, 30), (330, 0), (430, 10), (780, 45)]:
        checkpoint = saved(uninterrupted[0][YIELDS.index(step)], tmp_path / str(step))
        assert np.load(checkpoint.path("samples.npy"), allow_pickle=False).shape == (samples, 4)


def test_the_seed_decides_the_result(uninterrupted: tuple[list[Checkpoint], dict[str, float]]) -> None:
    """Another seed gives other averages of the same fluid."""
    other = finish(JOB | {"seed": 8})[1]
    assert other["energy"] != uninterrupted[1]["energy"]
    assert other["energy"] == pytest.approx(uninterrupted[1]["energy"], rel=0.05)


def equation_of_state(temperature: float, density: float) -> tuple[float, float, float, float]:
    """Return energy, pressure and their slopes with temperature by Kolafa and Nezbeda (1994)."""
    teqp = pytest.importorskip("teqp", reason="it has no wheel for every platform")
    model, pure = teqp.make_model({"kind": "LJ126_KolafaNezbeda1994", "model": {}}), np.array([1.0])
    cold, dense, heat, cross = (
        getattr(model, f"get_Ar{order}")(temperature, density, pure) for order in ("10", "01", "20", "11")
    )
    return temperature * cold, temperature * density * (1 + dense), -heat, density * (1 + dense - cross)


def test_the_equation_of_state_is_the_published_one() -> None:
    """teqp's Kolafa and Nezbeda gives the values that the paper's readers quote."""
    assert equation_of_state(1.3, 0.2)[:2] == pytest.approx((-1.53715, 0.12148), abs=5e-6)
    assert equation_of_state(1.3, 0.4)[:2] == pytest.approx((-2.80602, 0.11253), abs=5e-6)


@pytest.mark.parametrize(("temperature", "density", "steps"), [(2.0, 0.7, 5000), (2.74, 0.4, 7000), (4.0, 0.9, 5000)])
def test_averages_are_the_published_ones(temperature: float, density: float, steps: int) -> None:
    """At the measured temperature, energy and pressure are Kolafa and Nezbeda's (1994) within 1 % and five errors."""
    job = {"temperature": temperature, "density": density, "steps": steps, "equilibration": 2000, "seed": 1}
    result = finish(job)[1]
    energy, pressure, *_ = equation_of_state(result["temperature"], density)
    assert result["energy"] == pytest.approx(energy, rel=0.01)
    assert result["pressure"] == pytest.approx(pressure, abs=5 * result["pressure_error"])
    assert result["temperature"] == pytest.approx(temperature, rel=0.02)
    assert 0 < result["energy_error"] < 0.01 * abs(energy)
    assert 0 < result["pressure_error"] < 0.03 * pressure
    assert abs(result["drift"]) < 1e-3


def test_a_cold_liquid_is_that_of_nist() -> None:
    """At T 0.9 and density 0.82 NIST's Monte Carlo has the energy -5.7456 and the pressure 0.82386."""
    job = {"temperature": 0.9, "density": 0.82, "steps": 7000, "equilibration": 2000, "seed": 1}
    result = finish(job)[1]
    _, _, energy_slope, pressure_slope = equation_of_state(0.9, 0.82)
    warmer = result["temperature"] - 0.9
    assert abs(warmer) < 0.03
    assert result["energy"] == pytest.approx(-5.7456 + energy_slope * warmer, rel=0.005)
    assert result["pressure"] == pytest.approx(0.82386 + pressure_slope * warmer, abs=5 * result["pressure_error"])


def jobs() -> Iterator[dict[str, Any]]:
    """Return the jobs that the notebook submits."""
    for row in pd.read_csv(DATA / "argon.csv").to_dict("records"):
        yield json.loads(json.dumps(row))


def test_the_grid_holds_valid_jobs_of_the_single_phase_fluid() -> None:
    """Every row is a valid job with a name of its own, above the critical temperature."""
    names = [job["name"] for job in jobs()]
    assert len(set(names)) == len(names) >= 24
    for job in jobs():
        argon.validate(job)
        assert re.fullmatch(r"[A-Za-z0-9._-]+", job["name"])
        assert job["temperature"] > 1.5


def test_the_reference_holds_the_published_values() -> None:
    """Kolafa and Nezbeda's rows follow from the equation to the printed digits; NIST's rows lie within 0.02 of it."""
    reference = pd.read_csv(DATA / "lennard_jones_reference.csv")
    rows: Iterator[Any] = reference.itertuples()
    for row in rows:
        energy, pressure, *slopes = equation_of_state(row.temperature, row.density)
        if row.source == "Kolafa & Nezbeda 1994":
            printed = (row.energy, row.pressure, row.energy_slope, row.pressure_slope)
            assert printed == tuple(round(value, 5) for value in (energy, pressure, *slopes))
        else:
            assert row.source == "NIST Monte Carlo"
            assert (row.energy, row.pressure) == pytest.approx((energy, pressure), abs=0.02)
            assert math.isnan(row.energy_slope)


def test_the_reference_covers_the_grid() -> None:
    """Every state point of the grid is also one of the published equation's rows."""
    reference = pd.read_csv(DATA / "lennard_jones_reference.csv")
    published = set(zip(reference.temperature, reference.density, strict=True))
    assert {(job["temperature"], job["density"]) for job in jobs()} <= published


def test_the_slopes_are_those_of_the_equation() -> None:
    """The slopes are the change of energy and pressure with temperature at constant density."""
    below, above = (equation_of_state(temperature, 0.6) for temperature in (1.999, 2.001))
    differences = [(high - low) / 0.002 for low, high in zip(below[:2], above[:2], strict=True)]
    assert equation_of_state(2.0, 0.6)[2:] == pytest.approx(differences, rel=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": None}, "temperature must be a number from 0.5 to 10, not None."),
        ({"temperature": "2.0"}, "temperature must be a number from 0.5 to 10, not '2.0'."),
        ({"temperature": True}, "temperature must be a number from 0.5 to 10, not True."),
        ({"temperature": math.nan}, "temperature must be a number from 0.5 to 10, not nan."),
        ({"temperature": math.inf}, "temperature must be a number from 0.5 to 10, not inf."),
        ({"temperature": 0.4}, "temperature must be a number from 0.5 to 10, not 0.4."),
        ({"density": 0}, "density must be a number from 0.001 to 1.2, not 0."),
        ({"density": [0.5]}, "density must be a number from 0.001 to 1.2, not [0.5]."),
        ({"steps": 780.0}, "steps must be a whole number from 300 to 1000000000, not 780.0."),
        ({"steps": False}, "steps must be a whole number from 300 to 1000000000, not False."),
        ({"equilibration": -1}, "equilibration must be a whole number from 100 to 1000000000, not -1."),
        ({"steps": 500}, "steps must exceed equilibration (330) by at least 200, and 500 does not."),
        ({"seed": -1}, "seed must be a whole number from 0 to 4294967295, not -1."),
        ({"seed": 1.5}, "seed must be a whole number from 0 to 4294967295, not 1.5."),
        ({"particles": 32}, "particles must be a whole number from 108 to 2048, not 32."),
        (
            {"particles": 300},
            "particles must be one of 108, 256, 500, 864, 1372, 2048, to fill a lattice, not 300.",
        ),
        ({"cutoff": 1.5}, "cutoff must be a number from 2 to 100, not 1.5."),
        ({"cutoff": 3.0}, "cutoff must be at most 2.6, for 108 particles at this density, not 3.0."),
        ({"timestep": 0.02}, "timestep must be a number from 0.0001 to 0.01, not 0.02."),
        (
            {"seed": "a", "density": 2},
            "density must be a number from 0.001 to 1.2, not 2. "
            "seed must be a whole number from 0 to 4294967295, not 'a'.",
        ),
    ],
)
def test_a_bad_job_is_refused(change: dict[str, Any], message: str) -> None:
    """Each field that is wrong is named with what it has to be and what it is, by validate() and by run()."""
    for refuse in (argon.validate, lambda job: next(argon.run(job, None))):
        with pytest.raises(InvalidJob) as error:
            refuse(JOB | change)
        assert str(error.value) == message


@pytest.mark.parametrize("field", ["temperature", "density", "steps", "equilibration", "seed"])
def test_a_missing_field_is_named(field: str) -> None:
    """A job without one of the required fields is refused by the field's name."""
    with pytest.raises(InvalidJob, match=rf"^{field} is missing\.$"):
        argon.validate({name: value for name, value in JOB.items() if name != field})


def test_a_box_too_small_for_any_cutoff_is_refused() -> None:
    """Without a cut-off of its own, a job is still refused where half of the box holds none of at least 2."""
    with pytest.raises(InvalidJob, match=r"^cutoff must be at most 1\.84, for 108 particles at this density, not 2\.$"):
        argon.validate({name: value for name, value in JOB.items() if name != "cutoff"} | {"density": 1.2})


def test_what_a_job_leaves_open_is_filled_in() -> None:
    """Without particles, cut-off and time step there are 256, at 0.004, and 3 or what half of the box allows."""
    short = {name: value for name, value in JOB.items() if name not in argon.OPTIONAL}
    dilute, dense = argon.Plan.of(short), argon.Plan.of(short | {"density": 0.9})
    assert (dilute.particles, dilute.cutoff, dilute.timestep) == (256, 3.0, 0.004)
    assert dense.cutoff == 2.888


def test_particles_that_fly_apart_are_a_failure(
    uninterrupted: tuple[list[Checkpoint], dict[str, float]], tmp_path: Path
) -> None:
    """Where the forces are beyond all numbers the job fails with advice, and returns none that mean nothing."""
    checkpoint = saved(uninterrupted[0][0], tmp_path / "crushed")
    np.save(tmp_path / "crushed.npy", np.zeros((3, 108)))
    checkpoint.files["positions.npy"] = tmp_path / "crushed.npy"
    with pytest.raises(FloatingPointError, match=r"flew apart after step 100\. Try: a shorter timestep\."):
        finish(JOB, checkpoint)


def test_a_drift_of_the_energy_is_a_failure() -> None:
    """Where the time step is only somewhat too long the energy grows, and the job fails with the same advice."""
    job = JOB | {"temperature": 10.0, "density": 0.1, "timestep": 0.01, "steps": 2000, "cutoff": 3.0}
    with pytest.raises(ArithmeticError, match=r"energy drifted by .* of the kinetic energy\. Try: a shorter timestep"):
        finish(job)
