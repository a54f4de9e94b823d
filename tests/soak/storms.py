"""The storms of tests/storms.py at full length (`make soak`): minutes, not seconds."""

from pathlib import Path

import pytest

from tests.storms import Place, bustle_leaves_order, completions_survive, sweep_survives


@pytest.fixture
def place(postgres_url: str, tmp_path: Path) -> Place:
    return Place(postgres_url, tmp_path)


def test_a_thousand_limits_survive_killed_sweeps(place: Place) -> None:
    sweep_survives(place, limits=1000, kills=30, within=2, seed=1)


def test_five_hundred_completions_survive_killed_officials(place: Place) -> None:
    completions_survive(place, tasks=500, kills=30, within=1, seed=2)


def test_four_processes_and_two_thousand_operations_keep_order(place: Place) -> None:
    bustle_leaves_order(place, processes=4, operations=2000, seed=3)


def test_four_processes_queue_on_sqlite(sqlite_url: str, tmp_path: Path) -> None:
    bustle_leaves_order(Place(sqlite_url, tmp_path), processes=4, operations=400, seed=4)
