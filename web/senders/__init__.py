"""The ways out of the platform, by kind of contact. Which of them are open is a matter of settings."""

from collections.abc import Mapping

from engine.people.tables import ContactKind
from engine.telling.outbox import Sender
from web.senders.email import EmailSender
from web.senders.webhook import WebhookSender
from web.settings import Settings


def from_settings(settings: Settings) -> Mapping[str, Sender]:
    """Without a mail server there is no sender for e-mail, and what is to be sent by it waits."""
    senders: dict[str, Sender] = {
        ContactKind.WEBHOOK: WebhookSender(settings.public_url, private=settings.private_webhooks)
    }
    if settings.mail:
        senders[ContactKind.EMAIL] = EmailSender(settings.mail, settings.public_url)
    return senders
