"""Applications of the onboarding process that have come to their end."""

import pytest

from tests.casework import Case


@pytest.fixture
def closed(case: Case) -> Case:
    """A complaint with a file that was found to be unfounded."""
    case.goes("收到测试密钥").step(by="企业", sends="complaint", fills={"complaint": "barrier"})
    case.step(by="主管部门", does="核实情况", fills={"verification": "unfounded"})
    case.step(by="主管部门", does="填写核实情况", fills={"findings": "device_clock"})
    assert case.instance().closed_at
    return case
