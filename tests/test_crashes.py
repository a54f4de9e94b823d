"""Several processes at once, and SIGKILL at random moments. The long versions are in tests/soak."""

from pathlib import Path

import pytest

from tests.storms import Place, bustle_leaves_order, completions_survive, sweep_survives


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    return Place(database_url, tmp_path)


def test_killed_sweeps_lose_no_limit_and_fire_none_twice(place: Place) -> None:
    sweep_survives(place, limits=120, kills=4, within=0.1, seed=20260918)


def test_killed_officials_lose_no_decision(place: Place) -> None:
    completions_survive(place, tasks=40, kills=4, within=0.3, seed=20260921)


def test_two_processes_on_the_same_applications_keep_order(place: Place) -> None:
    bustle_leaves_order(place, processes=2, operations=120, seed=20260922)
