"""What an autoscaler can be told, in Python and in its environment."""

from __future__ import annotations

import pytest
from hypothesis import given

from lrtkit.scaling import Policy, Rule
from lrtkit.wire.errors import BadInput
from tests.scaling.cases import policies


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_replicas": 5, "max_replicas": 4}, "minimum <= maximum"),
        ({"max_replicas": 501}, "<= 500, not 0 and 501"),
        ({"min_replicas": -1}, "0 <= minimum"),
        ({"jobs_per_replica": 0}, "more than 0"),
        ({"rule": "random"}, "one of default, guide"),
        ({"step_limit": 0}, "step_limit must be 1 or more"),
        ({"finish_by": 1e9}, "finish_by needs job_s"),
        ({"hours": (7, 7)}, "two different hours"),
        ({"hours": (7, 25)}, "from 0 to 24"),
        ({"time_zone": "Middle/Earth"}, "'Middle/Earth'"),
        ({"max_usd_per_hour": -1}, "max_usd_per_hour"),
    ],
)
def test_impossible_policies_are_refused(fields, message):
    """A policy that no group can follow is refused when it is made."""
    with pytest.raises(BadInput, match=message):
        Policy(**fields)


def test_all_faults_of_a_policy_are_told_at_once():
    """Nobody mends one number to be told of the next."""
    with pytest.raises(BadInput, match=r"500.*step_limit.*hours"):
        Policy(max_replicas=900, step_limit=-1, hours=(3, 3))


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({}, "min_replicas is missing.*max_replicas is missing"),
        ({"min_replicas": "0"}, "max_replicas is missing"),
        ({"min_replicas": "a", "max_replicas": "4"}, "min_replicas is 'a' but must be a whole number"),
        ({"min_replicas": "0", "max_replicas": "4", "hours": "late"}, "hours is 'late'"),
        ({"min_replicas": "0", "max_replicas": "4", "finish_by": "2026-11-27"}, "finish_by.*2026-11-27T18:00:00Z"),
        ({"min_replicas": "0", "max_replicas": "4", "heed_quota": "yes"}, "heed_quota.*true or false"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(env, message):
    """Variables that are missing or of another form are told with what they must be."""
    with pytest.raises(BadInput, match=message):
        Policy.from_env(env)


@given(policies())
def test_a_policy_goes_through_the_environment(policy):
    """A function is told its policy by variables, and reads the same one."""
    read = Policy.from_env(policy.to_env())
    assert read.finish_by == pytest.approx(policy.finish_by, abs=0.001)
    assert read.to_env() == policy.to_env()


def test_the_guides_two_variables_are_enough():
    """Whatever else there is to say has a default."""
    assert Policy.from_env({"min_replicas": "0", "max_replicas": "250"}) == Policy(0, 250)
    assert Policy.from_env({"min_replicas": "0", "max_replicas": "9", "rule": "guide"}).rule is Rule.GUIDE
    assert Policy(0, 7, hours=(22, 6)).to_env() == {"min_replicas": "0", "max_replicas": "7", "hours": "22-6"}
