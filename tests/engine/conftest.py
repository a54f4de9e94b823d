"""The onboarding process, deployed, and one application on it."""

import pytest

from engine.runtime.runtime import Runtime
from tests.casework import Case, deploy_onboarding


@pytest.fixture
def case(runtime: Runtime) -> Case:
    deploy_onboarding(runtime)
    return Case(runtime)
