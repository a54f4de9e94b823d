"""The only place that asks the machine what time it is. Everything else is told."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """Real time, aware, in UTC. Process time (which a trial may move) is `engine.runtime.trial.process_now`."""
    return datetime.now(UTC)
