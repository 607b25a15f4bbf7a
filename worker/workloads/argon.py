"""Molecular dynamics of the Lennard-Jones fluid, the model of argon: one job, one state point.

The particles are melted from a lattice and held at the job's temperature for ``equilibration``
steps; then they move at constant energy up to ``steps`` and are averaged. Reduced units throughout.

=================  ==============================================================================
``temperature``    0.5 to 10; the result has the temperature that the averages belong to
``density``        0.001 to 1.2
``steps``          time steps of both phases together
``equilibration``  time steps of the first phase: at least 100, with at least 200 to follow
``seed``           of the first velocities and the thermostat
``particles``      as many as fill a lattice: 108, 256 (default), 500, 864, 1372 or 2048
``cutoff``         of the forces, at least 2; default 3, or less where half of the box is too small
``timestep``       at most 0.01; default 0.004
=================  ==============================================================================
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lrtkit.wire.errors import InvalidJob
from lrtkit.wire.workload import Checkpoint
from worker.workloads import lennard_jones as lj

YIELD_STEPS = 100
SAMPLE_STEPS = 10
RELAXATION_TIME = 0.1
"""How soon the thermostat has its way: longer than a collision, far shorter than an equilibration."""
LARGEST_DRIFT = 0.01
"""How much of the kinetic energy may be lost or won before the averages are those of no temperature."""
ADVICE = "Try: a shorter timestep."

FIELDS: dict[str, tuple[type, float, float]] = {
    "temperature": (float, 0.5, 10),
    "density": (float, 0.001, 1.2),
    "steps": (int, 300, 10**9),
    "equilibration": (int, 100, 10**9),
    "seed": (int, 0, 2**32 - 1),
    "particles": (int, 108, 2048),
    "cutoff": (float, 2, 100),
    "timestep": (float, 0.0001, 0.01),
}
OPTIONAL = ("particles", "cutoff", "timestep")
LATTICE_CELLS = {4 * cells**3: cells for cells in range(3, 9)}
ARRAYS = ("positions", "velocities", "samples")
NO_SAMPLES: lj.Array = np.empty((0, len(lj.Measurement._fields)))


@dataclass(frozen=True)
class Plan:
    """A valid job with its defaults filled in."""

    temperature: float
    density: float
    steps: int
    equilibration: int
    seed: int
    particles: int
    cutoff: float
    timestep: float

    @classmethod
    def of(cls, job: dict[str, Any]) -> Plan:
        """Return a job's plan; raise InvalidJob if the job cannot be run."""
        validate(job)
        particles = job.get("particles", 256)
        cutoff = min(3.0, _longest_cutoff(particles, job["density"]))
        filled = {"particles": particles, "cutoff": cutoff, "timestep": 0.004} | job
        return cls(**{field: filled[field] for field in FIELDS})


@dataclass(frozen=True)
class State:
    """Everything that the rest of a run depends on."""

    step: int
    random: Any
    """The state of the random numbers, as NumPy gives it."""
    positions: lj.Array
    velocities: lj.Array
    samples: lj.Array
    """One row a measurement of the present phase."""

    @classmethod
    def start(cls, plan: Plan) -> State:
        """Return the lattice, set in motion."""
        random = np.random.Generator(np.random.PCG64(plan.seed))  # by name: what default_rng gives may change
        positions = lj.lattice(LATTICE_CELLS[plan.particles], lj.box_side(plan.particles, plan.density))
        velocities = lj.thermal_velocities(plan.particles, plan.temperature, random=random)
        return cls(0, dict(random.bit_generator.state), positions, velocities, NO_SAMPLES)

    @classmethod
    def load(cls, checkpoint: Checkpoint) -> State:
        """Return the state that was saved in a checkpoint."""
        arrays = {name: np.load(checkpoint.path(f"{name}.npy"), allow_pickle=False) for name in ARRAYS}
        return cls(checkpoint["step"], checkpoint["random"], **arrays)

    def checkpoint(self) -> Checkpoint:
        """Return a checkpoint that writes this state if it is wanted; no array of a state ever changes."""
        files = {f"{name}.npy": partial(_write, getattr(self, name)) for name in ARRAYS}
        return Checkpoint({"step": self.step, "random": self.random}, files)


def validate(job: dict[str, Any]) -> None:
    """Raise InvalidJob with a sentence for each field that is wrong, or for those that do not go together."""
    faults = [fault for field in FIELDS if (fault := _fault(field, job))] or list(_misfits(job))
    if faults:
        raise InvalidJob(" ".join(faults))


def run(job: dict[str, Any], checkpoint: Checkpoint | None) -> Generator[Checkpoint, None, dict[str, float]]:
    """Yield a checkpoint every 100 time steps or sooner, and return the averages."""
    plan = Plan.of(job)
    _keep_freed_memory()
    state = State.start(plan) if checkpoint is None else State.load(checkpoint)
    while state.step < plan.steps:
        try:
            state = advance(plan, state)
        except FloatingPointError as error:
            raise FloatingPointError(f"the particles flew apart after step {state.step}. {ADVICE}") from error
        yield state.checkpoint()
    return averages(plan, state.samples)


@np.errstate(divide="raise", over="raise", invalid="raise")
def advance(plan: Plan, state: State) -> State:
    """Return the state of the next yield.

    The lists of neighbours are made anew here and not carried over from the stretch before, so the
    next state depends on nothing but this one, and an interruption between the two leaves no trace.
    """
    equilibrating = state.step < plan.equilibration
    stop = min(state.step + YIELD_STEPS, plan.equilibration if equilibrating else plan.steps)
    random = _generator(state.random)
    side = lj.box_side(plan.particles, plan.density)
    fluid = lj.Fluid(state.positions, state.velocities, side=side, cutoff=plan.cutoff)
    measured = []
    for step in range(state.step + 1, stop + 1):
        fluid.step(plan.timestep)
        if equilibrating:
            _hold_temperature(plan, fluid, random)
        if step % SAMPLE_STEPS == 0:
            measured.append(fluid.measure())
    samples = np.vstack((state.samples, *measured))
    if stop == plan.equilibration:
        _release(plan, fluid, samples)
        samples = NO_SAMPLES
    return State(stop, dict(random.bit_generator.state), fluid.positions, fluid.velocities, samples)


def averages(plan: Plan, samples: lj.Array) -> dict[str, float]:
    """Return the means over the second phase with their standard errors, the energy's drift, and what they hold for.

    The energy is the configurational one a particle; drift is that of the conserved energy between
    the halves of the phase, in units of the kinetic energy.
    """
    kinetic, potential, virial, conserved = samples.T
    temperature = kinetic * 2 / lj.freedoms(plan.particles)
    pressure = plan.density * (temperature + virial / (3 * plan.particles))
    series = {
        "energy": potential / plan.particles + lj.energy_tail(plan.density, plan.cutoff),
        "pressure": pressure + lj.pressure_tail(plan.density, plan.cutoff),
        "temperature": temperature,
    }
    result = {name: float(values.mean()) for name, values in series.items()}
    result |= {f"{name}_error": lj.standard_error(values) for name, values in series.items()}
    earlier, later = np.array_split(conserved, 2)
    drift = float((later.mean() - earlier.mean()) / kinetic.mean())
    if abs(drift) > LARGEST_DRIFT:
        raise ArithmeticError(f"the energy drifted by {drift:.1%} of the kinetic energy. {ADVICE}")
    return result | {"density": plan.density, "cutoff": plan.cutoff, "drift": drift}


def _hold_temperature(plan: Plan, fluid: lj.Fluid, random: np.random.Generator) -> None:
    fluid.velocities *= lj.thermostat(
        fluid.kinetic(),
        plan.temperature,
        freedoms=lj.freedoms(plan.particles),
        decay=math.exp(-plan.timestep / RELAXATION_TIME),
        random=random,
    )


def _release(plan: Plan, fluid: lj.Fluid, samples: lj.Array) -> None:
    """Give the fluid the mean energy of its temperature, not that of the instant at which the thermostat is left.

    Without it the temperature at constant energy would miss the job's by some four per cent. The mean
    potential energy is that of the second half of the equilibration; the first half melts the lattice.
    """
    potential = samples[len(samples) // 2 :, lj.Measurement._fields.index("potential")].mean()
    thermal = lj.freedoms(plan.particles) * plan.temperature / 2
    now = fluid.measure()
    fluid.velocities *= math.sqrt((thermal + float(potential) - now.potential) / now.kinetic)


def _generator(state: Any) -> np.random.Generator:
    bits = np.random.PCG64()
    bits.state = state
    return np.random.Generator(bits)


def _fault(field: str, job: dict[str, Any]) -> str | None:
    if field not in job:
        return None if field in OPTIONAL else f"{field} is missing."
    value, (kind, low, high) = job[field], FIELDS[field]
    is_number = isinstance(value, (int, kind)) and not isinstance(value, bool)
    if is_number and low <= value <= high:
        return None
    return f"{field} must be a {'whole ' if kind is int else ''}number from {low} to {high}, not {value!r}."


def _misfits(job: dict[str, Any]) -> Iterator[str]:
    particles, cutoff = job.get("particles", 256), job.get("cutoff", FIELDS["cutoff"][1])
    longest = _longest_cutoff(particles, job["density"])
    if particles not in LATTICE_CELLS:
        yield f"particles must be one of {', '.join(map(str, LATTICE_CELLS))}, to fill a lattice, not {particles}."
    if cutoff > longest:
        yield f"cutoff must be at most {longest}, for {particles} particles at this density, not {cutoff}."
    if job["steps"] - job["equilibration"] < 200:
        yield f"steps must exceed equilibration ({job['equilibration']}) by at least 200, and {job['steps']} does not."


def _longest_cutoff(particles: int, density: float) -> float:
    """Return the longest cut-off whose neighbour list sees each particle once, to three decimals."""
    return math.floor((lj.box_side(particles, density) / 2 - lj.SKIN) * 1000) / 1000


def _keep_freed_memory() -> None:
    """Make the C library keep the memory of freed arrays: fetching it anew would cost up to as much again.

    glibc takes the largest block that it has seen freed as the measure of what is worth keeping.
    """
    np.empty(2**21)


def _write(array: lj.Array, path: Path) -> None:
    with path.open("wb") as file:  # numpy.save would add an extension to a path without one
        np.save(file, array, allow_pickle=False)
