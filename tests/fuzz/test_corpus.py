"""Every target holds on the inputs that are kept for it, and on what public registries say."""

from __future__ import annotations

import pytest

from tests.fuzz.corpus import KEPT, LARGEST, MOST, kept, seeds
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_a_promise_holds_for_every_input_that_is_kept(target: str) -> None:
    for data in (b"", *(file.read_bytes() for file in kept(target)), *seeds(target)):
        TARGETS[target](data)


def test_the_corpus_is_small_and_of_the_targets_that_there_are() -> None:
    files = [file for target in TARGETS for file in kept(target)]

    assert {directory.name for directory in KEPT.iterdir()} == set(TARGETS)
    assert all(len(kept(target)) <= MOST for target in TARGETS)
    assert all(file.stat().st_size <= LARGEST for file in files)
