"""The physics: forces, conservation laws, thermostat, tails and errors, each against something independent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from worker.workloads import lennard_jones as lj


def fluid(density: float = 0.8, *, temperature: float = 2.0, cutoff: float = 2.0) -> lj.Fluid:
    """Return 108 particles that have left their lattice."""
    side = lj.box_side(108, density)
    velocities = lj.thermal_velocities(108, temperature, random=np.random.default_rng(1))
    melted = lj.Fluid(lj.lattice(3, side), velocities, side=side, cutoff=cutoff)
    for _ in range(100):
        melted.step(0.004)
    return melted


def brute_force(melted: lj.Fluid) -> tuple[lj.Array, float, float]:
    """Return forces, potential energy and virial from all pairs, a particle at a time, as in the textbook."""
    forces, potential, virial = np.zeros_like(melted.positions), 0.0, 0.0
    for i in range(108):
        vectors = melted.positions[:, i, None] - np.delete(melted.positions, i, axis=1)
        vectors -= melted.side * np.rint(vectors / melted.side)
        distances = np.sqrt((vectors**2).sum(axis=0))
        near = distances < melted.cutoff
        vectors, distances = vectors[:, near], distances[near]
        slopes = 24 * (2 * distances**-13 - distances**-7)
        forces[:, i] = (slopes * vectors / distances).sum(axis=1)
        potential += float((distances**-12 - distances**-6).sum()) * 4 / 2
        virial += float((slopes * distances).sum()) / 2
    return forces, potential, virial


def like(melted: lj.Fluid, positions: lj.Array, side: float | None = None) -> lj.Fluid:
    """Return the same fluid with its particles elsewhere."""
    return lj.Fluid(positions, melted.velocities, side=side or melted.side, cutoff=melted.cutoff)


def shifted_potential(melted: lj.Fluid) -> float:
    """Return the potential energy that is continuous at the cut-off."""
    return melted.measure().conserved - melted.kinetic()


@pytest.mark.parametrize("density", [0.02, 0.3, 0.8, 1.1])
def test_the_neighbour_list_gives_the_forces_of_all_pairs(density: float) -> None:
    """Forces, energy and virial by the list are those of a loop over all pairs, also where particles are alone."""
    melted = fluid(density, cutoff=1.9)
    forces, potential, virial = brute_force(melted)
    measured = melted.measure()
    assert np.abs(melted.forces() - forces).max() < 1e-9 * max(1.0, np.abs(forces).max())
    assert (measured.potential, measured.virial) == pytest.approx((potential, virial), rel=1e-12)


def test_the_neighbour_list_stays_complete_while_particles_move() -> None:
    """At every step of a hot fluid the forces are those of all pairs, though the list is seldom made anew."""
    melted = fluid(temperature=6.0)
    lists = [melted.neighbours]
    for _ in range(60):
        melted.step(0.004)
        if melted.neighbours is not lists[-1]:
            lists.append(melted.neighbours)
        assert np.abs(melted.forces() - brute_force(melted)[0]).max() < 1e-8
    assert 3 < len(lists) < 30


def test_no_pair_within_the_cutoff_gives_no_force() -> None:
    """Particles farther apart than the cut-off do not feel each other, and an empty list is no special case."""
    apart = lj.Fluid(lj.lattice(3, 30.0), np.zeros((3, 108)), side=30.0, cutoff=2.0)
    assert not apart.forces().any()
    assert apart.measure() == (0, 0, 0, 0)


def test_forces_are_the_gradient_of_the_energy() -> None:
    """Moving one coordinate of a particle changes the energy by the force on it."""
    melted = fluid()
    forces = melted.forces()
    for axis, particle in [(0, 0), (1, 17), (2, 50), (0, 107)]:
        energies = []
        for shift in (1e-5, -1e-5):
            moved = melted.positions.copy()
            moved[axis, particle] += shift
            energies.append(shifted_potential(like(melted, moved)))
        gradient = (energies[0] - energies[1]) / 2e-5
        assert -gradient == pytest.approx(forces[axis, particle], rel=1e-5, abs=1e-4)


def test_the_virial_is_the_work_of_expansion() -> None:
    """Stretching box and positions changes the energy by minus the virial, which makes the pressure."""
    melted = fluid()
    energies = [
        shifted_potential(like(melted, melted.positions * scale, side=melted.side * scale))
        for scale in (1 + 1e-6, 1 - 1e-6)
    ]
    work = (energies[0] - energies[1]) / 2e-6
    assert -work == pytest.approx(melted.measure().virial, rel=1e-5)


def test_momentum_and_energy_are_conserved() -> None:
    """Over 1,000 steps the momentum stays zero, and the energy within 0.2 % of the kinetic energy without a trend."""
    melted = fluid()
    energies = []
    for _ in range(1000):
        melted.step(0.004)
        energies.append(melted.measure().conserved)
    assert np.abs(melted.velocities.sum(axis=1)).max() < 1e-10
    assert np.ptp(energies) < 2e-3 * melted.kinetic()
    assert abs(np.mean(energies[500:]) - np.mean(energies[:500])) < 3e-4 * melted.kinetic()


def test_a_shorter_timestep_conserves_energy_better_by_its_square() -> None:
    """Velocity Verlet is of second order: half the time step, a quarter of the energy's fluctuation."""
    fluctuations = []
    for timestep in (0.004, 0.002):
        melted = fluid(density=0.6, cutoff=2.4)
        energies = []
        for _ in range(round(0.6 / timestep)):
            melted.step(timestep)
            energies.append(melted.measure().conserved)
        fluctuations.append(np.std(energies))
    assert fluctuations[0] / fluctuations[1] == pytest.approx(4, rel=0.25)


def test_the_motion_can_be_reversed() -> None:
    """With all velocities turned round the particles go back to where they came from."""
    melted = fluid()
    start = melted.positions.copy()
    for _ in range(2):
        for _ in range(50):
            melted.step(0.004)
        melted.velocities *= -1
    apart = melted.positions - start
    apart -= melted.side * np.rint(apart / melted.side)
    assert np.abs(apart).max() < 1e-8


def test_the_lattice_is_full_and_even() -> None:
    """Each particle has twelve nearest neighbours, at the distance of a face-centred cubic lattice."""
    side = lj.box_side(256, 0.8)
    pairs = lj.Neighbours(lj.lattice(4, side), side=side, reach=1.001 * side / 4 / math.sqrt(2))
    as_second = np.bincount(pairs.second, minlength=256)
    assert (pairs.counts + as_second).tolist() == [12] * 256


def test_thermal_velocities_have_the_temperature_and_no_momentum() -> None:
    """The first velocities carry exactly the kinetic energy of the temperature, evenly over the axes."""
    velocities = lj.thermal_velocities(2048, 1.5, random=np.random.default_rng(3))
    assert (velocities**2).sum() / lj.freedoms(2048) == pytest.approx(1.5, rel=1e-12)
    assert np.abs(velocities.mean(axis=1)).max() < 1e-12
    assert (velocities**2).mean(axis=1) == pytest.approx([1.5] * 3, rel=0.1)


def test_the_thermostat_leads_to_the_canonical_distribution() -> None:
    """Left to the thermostat alone, the kinetic energy gets the mean and the variance of Maxwell and Boltzmann."""
    random, kinetic, kinetics = np.random.default_rng(5), 200.0, []
    for _ in range(40_000):
        kinetic *= lj.thermostat(kinetic, 2.0, freedoms=60, decay=math.exp(-0.5), random=random) ** 2
        kinetics.append(kinetic)
    assert np.mean(kinetics[100:]) == pytest.approx(60 * 2.0 / 2, rel=0.01)
    assert np.var(kinetics[100:]) == pytest.approx(60 * 2.0**2 / 2, rel=0.04)


def test_the_tails_are_the_integrals_beyond_the_cutoff() -> None:
    """The corrections are the integrals of energy and virial from the cut-off on, taken numerically."""
    distances = np.linspace(2.5, 300, 500_000)
    energy = 4 * (distances**-10 - distances**-4)
    virial = 24 * (2 * distances**-10 - distances**-4)
    energy_tail = 2 * math.pi * 0.7 * np.trapezoid(energy, distances)
    pressure_tail = 2 / 3 * math.pi * 0.7**2 * np.trapezoid(virial, distances)
    assert lj.energy_tail(0.7, 2.5) == pytest.approx(energy_tail, rel=1e-5)
    assert lj.pressure_tail(0.7, 2.5) == pytest.approx(pressure_tail, rel=1e-5)


@pytest.mark.parametrize("memory", [0.0, 0.9, 0.97])
def test_the_standard_error_sees_through_correlation(memory: float) -> None:
    """The error of a series that remembers comes near the true one, not the small one of independent numbers."""
    random, series = np.random.default_rng(7), np.zeros((20, 8192))
    for step in range(1, 8192):
        series[:, step] = memory * series[:, step - 1] + random.standard_normal(20)
    true = 1 / (1 - memory) / math.sqrt(8192)
    assert np.mean([lj.standard_error(one) for one in series]) == pytest.approx(true, rel=0.3)
