"""How verdicts are decided, and what cannot be studied."""

import math

import pytest

from codingschemes.errors import InvalidInput
from codingschemes.studies import GeneralisationStudy
from codingschemes.studies.study import agrees, below, over_tasks


def test_verdicts_are_those_of_students_interval():
    found = over_tasks([1.0, 2.0, 3.0])
    assert (found.mean, found.error) == (2.0, pytest.approx(1 / math.sqrt(3)))
    # the quantile of two degrees of freedom, 4.3027
    assert (found.low, found.high) == (pytest.approx(2 - 4.302653 / math.sqrt(3)), pytest.approx(2 + 4.302653 / 3**0.5))
    assert [below(found, bound) for bound in (-1.0, 2.0, 5.0)] == ["does not hold", "not decided", "holds"]
    assert [agrees(found, value) for value in (-1.0, 2.5)] == ["does not hold", "holds"]
    alone = over_tasks([1.0])
    assert (below(alone, 9.0), agrees(alone, 1.0)) == ("not decided", "not decided")
    assert below(over_tasks([]), 1.0) == "not decided"


def test_what_cannot_be_studied_is_refused():
    with pytest.raises(InvalidInput, match="choose one of mnist, digits, cifar10"):
        GeneralisationStudy(dataset="letters")
    with pytest.raises(InvalidInput, match="nothing to study"):
        GeneralisationStudy(tasks=0)
