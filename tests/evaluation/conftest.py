"""A store on each of the databases."""

from collections.abc import Iterator

import pytest

from evaluation.stores.sql import Store, connect


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(connect(url))
    yield opened
    opened.close()
