"""The faults of mutations.py fit the source as it is. `make mutants` tries them."""

from pathlib import Path

import pytest

import remend
from mutations import MUTATIONS, ROOT

SOURCE = Path(remend.__file__).parent


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_fault_fits_the_source(mutation):
    assert (SOURCE / mutation.file).read_text(encoding="utf-8").count(mutation.before) == 1
    assert all((ROOT / test).is_file() for test in mutation.tests)


def test_names_are_told_apart():
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
