"""Faults that `make mutants` plants have not rotted: each text is there once, and so is the test that catches it."""

import re
from pathlib import Path

import pytest
from planted_faults import FAULTS, PACKAGE, Fault

TESTS = Path(__file__).parent


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_changes_what_is_there_and_has_a_test(fault):
    assert fault.before != fault.after
    assert (PACKAGE / fault.file).read_text().count(fault.before) == 1
    file, *_, test = fault.test.split("::")
    assert f"def {re.sub(r'\[.*', '', test)}(" in (TESTS / file).read_text()


def test_at_least_twenty_faults_have_names_of_their_own():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 20


@pytest.mark.parametrize("content", ["", "once, and once more"])
def test_a_text_that_is_not_there_once_is_no_fault(tmp_path, content):
    (tmp_path / "file.py").write_text(content)
    with pytest.raises(ValueError, match=f"'slip' {content.count('once')} times, not once"):
        Fault("slip", "file.py", "once", "twice", "").plant(tmp_path)
