"""Which packages (pyproject.toml), which versions (constraints.txt), and the same for conda (environment.yml)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import rattler
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
OWN = "lrtkit"
CONDA_ONLY = {"python", "pip"}
EDITABLE = "-e ."


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def required() -> list[Requirement]:
    """Every package that pyproject.toml names, of the core and of all extras."""
    project = pyproject()["project"]
    extras = project["optional-dependencies"].values()
    named = [Requirement(line) for lines in (project["dependencies"], *extras) for line in lines]
    return [requirement for requirement in named if requirement.name != OWN]


def pins() -> list[Requirement]:
    return [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines()]


def environment() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "environment.yml").read_text())
    return loaded


def conda_lines() -> list[str]:
    return [line for line in environment()["dependencies"] if isinstance(line, str)]


def pip_lines() -> list[str]:
    (section,) = [line["pip"] for line in environment()["dependencies"] if isinstance(line, dict)]
    return list(section)


def ranges(requirements: list[Requirement]) -> dict[str, tuple[SpecifierSet, str]]:
    return {canonicalize_name(each.name): (each.specifier, str(each.marker or "")) for each in requirements}


@pytest.mark.parametrize("requirement", required(), ids=str)
def test_every_package_is_pinned_within_its_range(requirement: Requirement) -> None:
    """Each package named in pyproject.toml has exact versions in constraints.txt, all of them allowed."""
    found = [pin for pin in pins() if canonicalize_name(pin.name) == canonicalize_name(requirement.name)]
    assert found, "Try: make pins"
    for pin in found:
        (version,) = pin.specifier
        assert version.operator == "=="
        assert requirement.specifier.contains(version.version), "Try: make pins"


def test_every_pin_is_one_exact_version() -> None:
    """A pin is a name, one version and at most a marker: no address, no option, no range."""
    for pin in pins():
        assert re.fullmatch(r"==[^*,]+", str(pin.specifier)), pin
        assert pin.url is None
    assert not re.search(r"://|^\s*-|@", (ROOT / "constraints.txt").read_text(), re.MULTILINE)


def test_the_build_backend_is_pinned() -> None:
    """What builds the package is one exact version too, and constraints do not reach it."""
    for line in pyproject()["build-system"]["requires"]:
        assert re.fullmatch(r"==[^*,]+", str(Requirement(line).specifier))


@pytest.mark.parametrize("line", conda_lines())
def test_every_conda_line_is_a_match_spec(line: str) -> None:
    """conda understands each line, as a name and a range."""
    spec = rattler.MatchSpec(line, strict=True)
    assert spec.version is not None or line in CONDA_ONLY
    assert spec.build is None
    assert spec.channel is None


def test_conda_installs_the_same_packages_in_the_same_ranges() -> None:
    """environment.yml has each package of pyproject.toml once, by conda or by pip, and no others."""
    by_conda = [Requirement(line) for line in conda_lines() if Requirement(line).name not in CONDA_ONLY]
    by_pip = [Requirement(line) for line in pip_lines() if line != EDITABLE]
    assert len(ranges(by_conda + by_pip)) == len(by_conda + by_pip)
    assert ranges(by_conda + by_pip) == ranges(required())


def test_conda_installs_the_kit_itself_on_the_same_pythons() -> None:
    """The kit comes last and from this folder, on every Python that pyproject.toml allows."""
    assert pip_lines()[-1] == EDITABLE
    (python,) = [Requirement(line) for line in conda_lines() if Requirement(line).name == "python"]
    assert python.specifier == SpecifierSet(pyproject()["project"]["requires-python"])


def test_conda_asks_one_channel() -> None:
    """conda-forge is enough, and mixing it with the default channels breaks environments."""
    assert environment()["name"] == OWN
    assert environment()["channels"] == ["conda-forge", "nodefaults"]
