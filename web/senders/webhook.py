"""Notices as HTTP POST requests, signed as the Standard Webhooks specification says."""

import base64
import hashlib
import hmac
import http.client
import json
import socket
import ssl
from urllib.parse import urlsplit

from engine.telling.addresses import reachable
from engine.telling.outbox import Parcel
from web.senders.deadline import deadline
from web.senders.link import link_of

MOST_SECONDS = 10  # for the whole exchange
MOST_ADDRESSES = 3  # of those a name stands for: a machine may have an IPv6 address and no way to reach it
MOST_BYTES = 64 * 1024  # of an answer; nothing of it is used but the status


class ReceiverRefused(Exception):
    """The receiver answered, but not with a 2xx status."""


class WebhookSender:
    """Posts a parcel to its address. Raises ReceiverRefused, TimeoutError, HostInside, and other OSErrors.

    Redirects are not followed: where they lead to was never checked.
    """

    def __init__(self, public_url: str, *, private: bool, seconds: float = MOST_SECONDS) -> None:
        self._public_url = public_url
        self._private = private
        self._seconds = seconds

    def __call__(self, parcel: Parcel) -> None:
        facts = {name: value for name, value in parcel.body.items() if name != "role"}
        body = json.dumps({**facts, "url": link_of(parcel, self._public_url)}, ensure_ascii=False).encode()
        parts = urlsplit(parcel.address)
        connection = _Connection(parcel.address, private=self._private, seconds=self._seconds)
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "realname-onboarding",
            "Idempotency-Key": parcel.idempotency_key,
            **signature(parcel.secret or "", parcel.idempotency_key, int(parcel.now.timestamp()), body),
        }
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            with deadline(self._seconds, lambda: connection.sock):
                connection.request("POST", target, body, headers)
                answer = connection.getresponse()
                answer.read(MOST_BYTES)
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise ReceiverRefused(f"{answer.status} {answer.reason}")


def signature(secret: str, id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers by which a receiver knows who sent a body, and when (seconds since 1970)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


class _Connection(http.client.HTTPConnection):
    """Connects to an address that was just checked, never to what a second look-up of the name would say."""

    def __init__(self, url: str, *, private: bool, seconds: float) -> None:
        self._url = url
        self._private = private
        self._secured = url.startswith("https:")
        self._seconds = seconds
        super().__init__(urlsplit(url).hostname or "", timeout=seconds)

    def connect(self) -> None:
        addresses = reachable(self._url, private=self._private)[:MOST_ADDRESSES]
        for address in addresses:
            try:
                self.sock = socket.create_connection(address, self._seconds / len(addresses))
                break
            except OSError:
                if address is addresses[-1]:
                    raise
        self.sock.settimeout(self._seconds)
        if self._secured:
            context = ssl.create_default_context()
            # The handshake comes after, so that the deadline finds the socket it has to cut.
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.do_handshake()
