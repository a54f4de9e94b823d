"""E-mail and webhooks against a real mail server and a real web server: what arrives, and what is refused."""

import base64
import ipaddress
import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from hmac import digest
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.telling import addresses
from engine.telling.addresses import HostInside
from engine.telling.contacts import new_secret
from engine.telling.outbox import Parcel, SenderDown
from tests.receivers import Hook, Mailbox, free_port, mail_server, web_server
from web.senders import from_settings
from web.senders.email import EmailSender
from web.senders.webhook import ReceiverRefused, WebhookSender
from web.settings import MailServer, Settings

NOW = datetime(2026, 9, 23, 1, 30, tzinfo=UTC)
SECRET = new_secret()
PARCEL = Parcel(
    idempotency_key="n1-c1",
    address="he.min@gz.example.cn",
    secret=SECRET,
    body={
        "notice_id": "n1",
        "instance_id": "i1",
        "number": "440100202609180001",
        "kind": "warning",
        "role": "authority",
        "text": "审核材料超过 3 个工作日，请尽快办理。",
        "text_en": "The review has taken more than 3 working days.",
        "at": "2026-09-22T16:00:00+00:00",
    },
    now=NOW,
)
PUBLIC = "https://onboarding.example.cn"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_server() as hook:
        yield hook


def plain(box: Mailbox) -> EmailSender:
    return EmailSender(MailServer("127.0.0.1", box.port, "none", "platform@gd.example.cn"), PUBLIC)


def to(address: str, **body: str | None) -> Parcel:
    return replace(PARCEL, address=address, body={**PARCEL.body, **body})


def test_a_warning_arrives_by_mail_in_both_languages_with_number_and_link(mailbox: Mailbox) -> None:
    plain(mailbox)(PARCEL)
    (message,) = mailbox.messages
    assert mailbox.recipients == ["he.min@gz.example.cn"]
    assert message["Subject"] == "【联调对接】预警 440100202609180001 / Onboarding warning"
    assert message["From"] == "platform@gd.example.cn"
    assert message["Message-ID"] == "<n1-c1@gd.example.cn>"
    assert parsedate_to_datetime(message["Date"]) == NOW
    text = message.get_content()
    assert "审核材料超过 3 个工作日，请尽快办理。" in text
    assert "The review has taken more than 3 working days." in text
    assert text.count("440100202609180001") == 2
    assert text.count(f"{PUBLIC}/instances/i1") == 2


def test_who_may_not_see_the_application_is_led_to_the_notices(mailbox: Mailbox) -> None:
    plain(mailbox)(to(PARCEL.address, role="support", number=None, text_en=""))
    text = mailbox.messages[0].get_content()
    assert f"{PUBLIC}/notices" in text
    assert "/instances/" not in text
    assert "None" not in text


@pytest.mark.parametrize("answer", ["550 no such mailbox", "451 try later"])
def test_a_mail_that_is_refused_fails_with_the_servers_words(mailbox: Mailbox, answer: str) -> None:
    mailbox.answer = answer
    with pytest.raises(Exception, match=answer[4:]) as failure:
        plain(mailbox)(PARCEL)
    assert not isinstance(failure.value, SenderDown)


def test_a_mail_server_that_is_not_there_is_told_from_an_address_that_is_refused() -> None:
    with pytest.raises(SenderDown):
        plain(Mailbox(free_port()))(PARCEL)


@pytest.mark.parametrize(
    "address",
    ["a@b.cn\r\nBcc: all@b.cn", "a@b.cn\nRCPT TO:<x@b.cn>", "a@b.cn, c@d.cn", "a@b.cn> SIZE=1", "not an address"],
)
def test_an_address_that_is_more_than_one_address_is_never_sent(mailbox: Mailbox, address: str) -> None:
    with pytest.raises(Exception, match=r"."):
        plain(mailbox)(to(address))
    assert mailbox.messages == []
    assert mailbox.recipients == []


def test_a_text_or_number_with_line_breaks_adds_no_header(mailbox: Mailbox) -> None:
    plain(mailbox)(
        to(PARCEL.address, number="4401\r\nBcc: all@b.cn", text="第一行\r\nBcc: all@b.cn\r\n\r\n.\r\n第二行")
    )
    (message,) = mailbox.messages
    assert message["Bcc"] is None
    assert mailbox.recipients == ["he.min@gz.example.cn"]
    assert "第二行" in message.get_content()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for 127.0.0.1 with its key, trusted the way an operator makes a private authority trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def test_a_log_in_is_sent_encrypted_only(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with mail_server(tls=context) as box:
        server = MailServer("127.0.0.1", box.port, "starttls", "platform@gd.example.cn", "platform", "p@ss:word")
        EmailSender(server, "")(PARCEL)
        assert box.logins == [("platform", "p@ss:word")]
        assert len(box.messages) == 1
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(SenderDown, match="CERTIFICATE_VERIFY_FAILED"):
            EmailSender(server, "")(PARCEL)
    assert len(box.logins) == 1


def test_a_mail_server_without_tls_gets_nothing_where_tls_is_asked_for(mailbox: Mailbox) -> None:
    server = MailServer("127.0.0.1", mailbox.port, "starttls", "platform@gd.example.cn", "platform", "secret")
    with pytest.raises(SenderDown, match="STARTTLS"):
        EmailSender(server, "")(PARCEL)
    assert (mailbox.logins, mailbox.messages) == ([], [])


def test_a_webhook_is_told_the_facts_and_can_prove_who_says_so(hook: Hook) -> None:
    WebhookSender(PUBLIC, private=True)(to(hook.url))
    (request,) = hook.requests
    assert request.path == "/hooks/onboarding?from=platform"
    assert request.headers["host"] == f"127.0.0.1:{hook.port}"
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.headers["idempotency-key"] == request.headers["webhook-id"] == "n1-c1"
    assert request.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    signed = b"n1-c1." + request.headers["webhook-timestamp"].encode() + b"." + request.body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(digest(key, signed, sha256)).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    facts = {name: value for name, value in PARCEL.body.items() if name != "role"}
    assert json.loads(request.body) == {**facts, "url": f"{PUBLIC}/instances/i1"}


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_a_webhook_that_answers_with_an_error_has_refused(hook: Hook, status: int) -> None:
    hook.status = status
    with pytest.raises(ReceiverRefused, match=str(status)):
        WebhookSender("", private=True)(to(hook.url))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused_and_not_followed(hook: Hook, status: int) -> None:
    with web_server() as elsewhere:
        hook.status, hook.location = status, elsewhere.url
        with pytest.raises(ReceiverRefused, match=str(status)):
            WebhookSender("", private=True)(to(hook.url))
        assert elsewhere.requests == []


def test_a_webhook_that_is_not_there_fails() -> None:
    with pytest.raises(ConnectionRefusedError):
        WebhookSender("", private=True)(to(f"http://127.0.0.1:{free_port()}/"))


def test_a_webhook_that_answers_a_byte_at_a_time_is_cut_off(hook: Hook) -> None:
    hook.dawdles = 8
    with pytest.raises(TimeoutError, match="not done within"):
        WebhookSender("", private=True, seconds=0.5)(to(hook.url))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "169.254.169.254", "0.0.0.0"])
def test_an_address_inside_is_not_even_connected_to(hook: Hook, host: str) -> None:
    with pytest.raises(HostInside):
        WebhookSender("", private=False)(to(f"http://{host}:{hook.port}/"))
    assert hook.requests == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("192.168.1.1", False),
        ("172.16.0.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    url = f"http://[{address}]/" if ":" in address else f"http://{address}/"
    if public:
        assert addresses.reachable(url, private=False) == [(address, 80)]
    else:
        with pytest.raises(HostInside):
            addresses.reachable(url, private=False)


def test_without_a_mail_server_there_is_no_sender_for_mail(tmp_path: Path) -> None:
    environment = {"DATA_DIR": str(tmp_path)}
    assert set(from_settings(Settings.from_environment(environment))) == {"webhook"}
    environment |= {"SMTP_URL": "smtp://127.0.0.1:25?tls=none", "MAIL_FROM": "platform@gd.example.cn"}
    assert set(from_settings(Settings.from_environment(environment))) == {"webhook", "email"}
