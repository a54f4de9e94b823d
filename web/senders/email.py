"""Notices by e-mail, in both languages, over SMTP."""

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from engine.telling.outbox import Parcel, SenderDown
from engine.telling.tables import Severity
from engine.text import Text
from web.senders.deadline import deadline
from web.senders.link import link_of
from web.settings import MailServer

STEP_SECONDS = 10  # for each answer of the server
MOST_SECONDS = 60  # for handing over one message, once connected

_KINDS = {Severity.INFO: Text("通知", "notice"), Severity.WARNING: Text("预警", "warning")}


class EmailSender:
    """Delivers one parcel per connection. Raises what the server answers, and SenderDown where it can't be used."""

    def __init__(self, server: MailServer, public_url: str) -> None:
        self._server = server
        self._public_url = public_url

    def __call__(self, parcel: Parcel) -> None:
        message = self._message(parcel)
        try:
            smtp = self._connected()
        except (OSError, smtplib.SMTPException) as problem:
            raise SenderDown(f"{self._server.host}:{self._server.port}: {problem}") from problem
        try:
            with deadline(MOST_SECONDS, lambda: smtp.sock):
                smtp.send_message(message)
        finally:
            self._part(smtp)

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.tls == "smtps":
            secured = ssl.create_default_context()
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=STEP_SECONDS, context=secured)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=STEP_SECONDS)
        try:
            if server.tls == "starttls":
                smtp.starttls(
                    context=ssl.create_default_context()
                )  # fails where the server offers none: never in clear
            if server.username:
                smtp.login(server.username, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    @staticmethod
    def _part(smtp: smtplib.SMTP) -> None:
        """The server has answered for the message already: what becomes of the farewell changes nothing."""
        try:
            smtp.quit()
        except (OSError, smtplib.SMTPException):
            smtp.close()

    def _message(self, parcel: Parcel) -> EmailMessage:
        subject, text = self._letter(parcel) if "subject" in parcel.body else self._notice(parcel)
        message = EmailMessage(policy=SMTP)
        message["Subject"] = subject
        message["From"] = self._server.sender
        message["To"] = Address(addr_spec=parcel.address)  # refuses anything that is not one address
        message["Date"] = format_datetime(parcel.now)
        message["Message-ID"] = f"<{parcel.idempotency_key}@{self._server.sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # keeps holiday notices from answering
        message.set_content(text, cte="base64")
        return message

    def _notice(self, parcel: Parcel) -> tuple[str, str]:
        body = parcel.body
        kind, number = _KINDS[Severity(body["kind"])], body["number"] or ""
        subject = " ".join(f"【联调对接】{kind.zh} {number} / Onboarding {kind.en}".split())
        lines = [body["text"], *([f"申请编号：{number}"] if number else [])]
        english = [body["text_en"] or body["text"], *([f"Application number: {number}"] if number else [])]
        if link := link_of(parcel, self._public_url):
            lines.append(f"查看：{link}")
            english.append(f"Read on: {link}")
        return subject, _both(lines, english)

    def _letter(self, parcel: Parcel) -> tuple[str, str]:
        """The address it leads to stands alone on its line, so that any program makes all of it a link."""
        body = parcel.body
        link = [self._public_url + body["path"]] if body["path"] and self._public_url else []
        subject = f"【联调对接】{body['subject']} / {body['subject_en']}"
        return subject, _both([body["text"], *link], [body["text_en"], *link])


def _both(lines: list[str], english: list[str]) -> str:
    return "\n".join([*lines, "", "--------", "", *english, ""])
