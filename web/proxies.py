"""What a request says of its way (`X-Forwarded-…`) is believed only where it comes from a proxy named in the settings:
anybody else could pass for another address, and so escape every limit on tries."""

import ipaddress
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from web.settings import Network

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class NamedProxies:
    """A request through proxies of these networks has the address before the first of them, as the nearest tells."""

    def __init__(self, app: "WSGIApplication", networks: Collection[Network]) -> None:
        self._app = app
        self._networks = networks

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not self._is_named(environ.get("REMOTE_ADDR", "")):
            return self._app(environ, start_response)
        passed = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
        hops = 1
        while hops < len(passed) and self._is_named(passed[-hops].strip()):
            hops += 1
        return ProxyFix(self._app, x_for=hops, x_proto=1, x_host=1)(environ, start_response)

    def _is_named(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)
