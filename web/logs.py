"""How log lines are written: with what looks like personal data in them masked, whoever wrote it into an error."""

import logging
from typing import Any

from gunicorn.glogging import Logger

from engine.definitions.masking import without_personal

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Discreet(logging.Formatter):
    """The whole line, a stack below it included."""

    def format(self, record: logging.LogRecord) -> str:
        return without_personal(super().format(record))


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn carries no types
    """The server's own lines: it writes down the address of a request that fails, and what was searched for in it."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(Discreet(self.error_fmt, self.datefmt))


def to_standard_error() -> None:
    """Everything from INFO on."""
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet(LINE))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("spiff").setLevel(logging.WARNING)  # it logs each state of each token
