"""Every dialect through its one door."""

import pytest

from search_engine.catalogue.published import read_published
from search_engine.errors import ArchitectureError
from search_engine.formats.dialects import DIALECTS, CannotHold, dialect, read, write


@pytest.mark.parametrize("name", [each.name for each in DIALECTS])
def test_nasnet_a_comes_back_from_every_dialect_that_can_hold_it(name):
    architecture = read_published("nasnet-a").architecture
    text = write(architecture, name)
    if isinstance(text, CannotHold):
        assert text.sentence.endswith(".")
        return
    reading = read(text)
    assert reading.dialect == name
    assert reading.architecture == architecture


def test_a_dialect_that_is_not_spoken_is_refused_with_those_that_are():
    with pytest.raises(ArchitectureError, match="'klingon' is unknown; must be one of .*darts"):
        dialect("klingon")
