"""The Lennard-Jones fluid in a periodic cube: forces, motion, thermostat; everything in reduced units.

Mass, sigma, epsilon and Boltzmann's constant are 1. Vectors lie in arrays of shape (3, particles),
which NumPy goes through faster than (particles, 3). Nothing here calls BLAS or sums in an order that
depends on memory: equal positions and velocities have the same future, to the last bit.

The books named below: Allen & Tildesley, Computer Simulation of Liquids; Frenkel & Smit,
Understanding Molecular Simulation.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SKIN = 0.4
"""How far beyond the cut-off pairs are listed: a wider list costs more a step and lasts longer."""


class Measurement(NamedTuple):
    """What one instant contributes to the averages: sums over the whole fluid, without tail corrections."""

    kinetic: float
    potential: float
    virial: float
    conserved: float
    """The energy that the motion keeps: kinetic, and the potential shifted to zero at the cut-off."""


class Neighbours:
    """The pairs of particles closer than a reach, each listed once, with the image nearest to its first particle.

    The list serves a cut-off that is shorter by the skin until a particle has moved half of the skin
    (Verlet 1967; Allen & Tildesley, ch. 5). The images serve as long: the reach is at most half of the box.
    """

    def __init__(self, positions: Array, *, side: float, reach: float) -> None:
        particles = positions.shape[1]
        first, second = np.divmod(np.flatnonzero(_closer(positions / side, reach / side)), particles)
        self.second = second
        self.shifts = np.rint((positions.take(second, axis=1) - positions.take(first, axis=1)) / side) * -side
        self.counts = np.bincount(first, minlength=particles)
        self.owners = np.flatnonzero(self.counts)  # reduceat returns a stray number for an empty row
        self.starts = (np.cumsum(self.counts) - self.counts)[self.owners]

    def separations(self, positions: Array) -> Array:
        """Return the vector from the first to the second particle of each pair."""
        vectors = positions.take(self.second, axis=1)
        vectors -= np.repeat(positions, self.counts, axis=1)
        vectors += self.shifts
        return vectors

    def gather(self, pushes: Array) -> Array:
        """Return the force on each particle, given that on the second one of each pair."""
        forces = np.array([np.bincount(self.second, push, len(self.counts)) for push in pushes], dtype=np.float64)
        forces[:, self.owners] -= np.add.reduceat(pushes, self.starts, axis=1)
        return forces


class Fluid:
    """Particles that attract and repel each other up to a cut-off, moving in a periodic cube."""

    def __init__(self, positions: Array, velocities: Array, *, side: float, cutoff: float) -> None:
        self.positions = positions.copy()
        self.velocities = velocities.copy()
        self.side = side
        self.cutoff = cutoff
        self._list_neighbours()
        self._forces = self.forces()

    def step(self, timestep: float) -> None:
        """Move on by one time step of velocity Verlet (Swope et al. 1982; Frenkel & Smit, ch. 4)."""
        self.velocities += self._forces * (timestep / 2)
        self.positions += self.velocities * timestep
        if squared(self.positions - self._listed).max() > (SKIN / 2) ** 2:
            self._list_neighbours()
        self._forces = self.forces()
        self.velocities += self._forces * (timestep / 2)

    def forces(self) -> Array:
        """Return the force on each particle."""
        vectors = self.neighbours.separations(self.positions)
        inverse, sixth = self._powers(vectors)
        strength = (sixth - 0.5) * sixth
        strength *= inverse
        strength *= 48.0
        vectors *= strength
        return self.neighbours.gather(vectors)

    def measure(self) -> Measurement:
        """Return the sums that averages are made of (Allen & Tildesley, ch. 2)."""
        inverse, sixth = self._powers(self.neighbours.separations(self.positions))
        twelfths, sixths = float((sixth * sixth).sum()), float(sixth.sum())
        potential = 4 * (twelfths - sixths)
        shift = 4 * (self.cutoff**-12 - self.cutoff**-6) * np.count_nonzero(inverse)
        kinetic = self.kinetic()
        return Measurement(kinetic, potential, 24 * (2 * twelfths - sixths), kinetic + potential - float(shift))

    def kinetic(self) -> float:
        """Return the kinetic energy of all particles."""
        return float((self.velocities * self.velocities).sum()) / 2

    def _powers(self, vectors: Array) -> tuple[Array, Array]:
        """Return 1/r² and 1/r⁶ of each pair, zero beyond the cut-off."""
        distances2 = squared(vectors)
        inverse = 1.0 / distances2
        inverse *= distances2 < self.cutoff**2
        sixth = inverse * inverse
        sixth *= inverse
        return inverse, sixth

    def _list_neighbours(self) -> None:
        self.positions -= np.floor(self.positions / self.side) * self.side
        self._listed = self.positions.copy()
        self.neighbours = Neighbours(self.positions, side=self.side, reach=self.cutoff + SKIN)


def squared(vectors: Array) -> Array:
    """Return the squared length of each vector."""
    x2, y2, z2 = vectors * vectors
    x2 += y2
    x2 += z2
    return np.asarray(x2)


def box_side(particles: int, density: float) -> float:
    """Return the side of the cube that holds so many particles at a density."""
    return math.cbrt(particles / density)


def lattice(cells: int, side: float) -> Array:
    """Return the positions of 4 cells³ particles on a face-centred cubic lattice that fills the box."""
    corners = np.indices((cells, cells, cells)).reshape(3, -1, 1)
    basis = np.array([[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]]) / 2
    return ((corners + basis[:, None, :]) * (side / cells)).reshape(3, -1)


def thermal_velocities(particles: int, temperature: float, *, random: np.random.Generator) -> Array:
    """Return Maxwell's velocities, with no total momentum and exactly the kinetic energy of the temperature."""
    velocities = random.standard_normal((3, particles))
    velocities -= velocities.mean(axis=1, keepdims=True)
    excess = (velocities * velocities).sum() / (freedoms(particles) * temperature)
    return np.asarray(velocities / np.sqrt(excess))


def freedoms(particles: int) -> int:
    """Return the degrees of freedom: the total momentum is conserved and holds no heat."""
    return 3 * particles - 3


def thermostat(
    kinetic: float, temperature: float, *, freedoms: int, decay: float, random: np.random.Generator
) -> float:
    """Return the factor for the velocities that leads to the canonical ensemble (Bussi, Donadio & Parrinello 2007).

    ``decay`` is exp(-time step / relaxation time).
    """
    share = temperature / (2 * kinetic) * (1 - decay)
    noise, others = random.standard_normal(), random.chisquare(freedoms - 1)
    return math.sqrt(decay + share * (noise**2 + others) + 2 * noise * math.sqrt(decay * share))


def energy_tail(density: float, cutoff: float) -> float:
    """Return the energy per particle from beyond the cut-off, where g(r) is taken as 1 (Frenkel & Smit, ch. 3)."""
    return 8 / 3 * math.pi * density * (cutoff**-9 / 3 - cutoff**-3)


def pressure_tail(density: float, cutoff: float) -> float:
    """Return the pressure from beyond the cut-off, where g(r) is taken as 1 (Frenkel & Smit, ch. 3)."""
    return 16 / 3 * math.pi * density**2 * (cutoff**-9 * 2 / 3 - cutoff**-3)


def standard_error(series: Array) -> float:
    """Return the standard error of the mean of a correlated series (Flyvbjerg & Petersen 1989).

    Neighbours are averaged in pairs, over and over; the apparent error rises until the blocks are
    independent. The largest one is taken, of the levels that still have 16 blocks to judge by.
    """
    largest = 0.0
    while len(series) >= 16:
        largest = max(largest, math.sqrt(float(series.var(ddof=1)) / len(series)))
        even = len(series) // 2 * 2
        series = (series[0:even:2] + series[1:even:2]) / 2
    return largest


def _closer(scaled: Array, reach: float) -> NDArray[np.bool_]:
    """Return the table of pairs closer than a reach, above its diagonal; lengths are in sides of the box."""
    distances2 = np.zeros((scaled.shape[1], scaled.shape[1]))
    for axis in scaled:
        apart = axis - axis[:, None]
        apart -= np.rint(apart)
        apart *= apart
        distances2 += apart
    return np.triu(distances2 < reach**2, k=1)
