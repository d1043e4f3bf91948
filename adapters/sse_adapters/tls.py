"""TLS without I/O, and whom to trust.

`ssl.SSLObject` speaks TLS into and out of memory. So one implementation serves every transport, and one
TLS can run inside another, which `ssl.SSLSocket` cannot do. It was measured to be no slower: to read from
an `SSLSocket` takes two system calls for each record.
"""

from __future__ import annotations

import os
import ssl
from functools import cache
from weakref import WeakKeyDictionary


class TLS:
    """The client's side of one TLS connection, over a transport or over another TLS.

    Whatever goes wrong is a `Failure`. A connection that ends without the peer's close_notify was cut (RFC
    8446, section 6.1), and is never taken for one that ended: some versions of Python, 3.11.2 for example,
    tell OpenSSL 3 otherwise.
    """

    Failure = ssl.SSLError

    def __init__(self, context: ssl.SSLContext | None, server_name: str, below: TLS | None = None) -> None:
        context = context or default_ssl_context(ca_bundle())
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self._below = below
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        try:
            self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        except ValueError as exc:
            raise ssl.SSLError(f"no server name: {server_name!r}") from exc
        self._complete = False
        self._decrypted: bytes | None = None  # by `has_data`
        self._failure: ssl.SSLError | None = None  # to be raised after the data that came before it

    def handshake(self) -> bool:
        """Continue the handshake as far as what was received allows; return whether it is complete."""
        while True:
            try:
                self._object.do_handshake()
            except ssl.SSLWantReadError:
                if not self._take_from_below():
                    return False
            else:
                self._complete = True
                return True

    def feed(self, data: bytes) -> None:
        """Take what the transport has received, `b""` at its end."""
        if self._below is not None:
            self._below.feed(data)
        else:
            self._take(data)

    def has_data(self) -> bool:
        """Whether `decrypt` has something to return, or to raise. False before the handshake is complete."""
        if not self._complete:
            return False
        if self._decrypted is None and self._failure is None:
            try:
                self._decrypted = self.decrypt()
            except ssl.SSLError as exc:
                self._failure = exc
        return self._decrypted is not None or self._failure is not None

    def decrypt(self) -> bytes | None:
        """Return the data received, `b""` at the peer's close_notify; None if more has to be fed first."""
        if self._decrypted is not None:
            decrypted, self._decrypted = self._decrypted, None
            return decrypted
        while True:
            data = self._read()
            if data is not None or not self._take_from_below():
                return data

    def encrypt(self, data: bytes | memoryview) -> None:
        """Encrypt data for the peer: `outgoing` returns it."""
        self._object.write(data)

    def outgoing(self) -> bytes:
        """Return what the transport has to send, which may be nothing."""
        data = self._outgoing.read()
        if self._below is None:
            return data
        if data:
            self._below.encrypt(data)
        return self._below.outgoing()

    def _read(self) -> bytes | None:
        """Return the data of every record that was received, joined, as without TLS."""
        if self._failure is not None:
            raise self._failure
        pieces: list[bytes] = []
        try:
            while not pieces or self._incoming.pending or self._object.pending():
                piece = self._object.read(READ_SIZE)
                if not piece:
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            if not pieces:
                return None
        except ssl.SSLError as exc:
            if not pieces:
                raise
            self._failure = exc
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _take_from_below(self) -> bool:
        data = None if self._below is None else self._below.decrypt()
        if data is not None:
            self._take(data)
        return data is not None

    def _take(self, data: bytes) -> None:
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


def is_refusal(error: ssl.SSLError) -> bool:
    """Whether the two sides cannot agree, so that another attempt would fail in the same way.

    They may have no version or cipher in common, or one does not accept the other's certificate, or wants
    one. Connections that are cut, and messages that are garbled, are no refusals.
    """
    reason = getattr(error, "reason", None) or ""  # those that Python raises itself have none
    return isinstance(error, ssl.SSLCertVerificationError) or any(word in reason for word in REFUSALS)


def without_client_certificate(context: ssl.SSLContext) -> ssl.SSLContext:
    """Return a context with the same trust, and without the client certificate that this one may have.

    `ssl` can neither tell whether a context has one nor copy it without. So the trusted certificates are
    copied into a new context; if none were loaded, but are looked up in directories when they are needed,
    those are taken to be the system's. A context of a class of its own is returned as it is.
    """
    if type(context) is not ssl.SSLContext:
        return context
    if context not in COPIES:
        copy = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        copy.check_hostname = context.check_hostname
        copy.verify_mode = context.verify_mode
        copy.verify_flags = context.verify_flags
        copy.options = context.options
        copy.minimum_version = context.minimum_version
        copy.maximum_version = context.maximum_version
        copy.set_ciphers(":".join(cipher["name"] for cipher in context.get_ciphers()))
        copy.set_alpn_protocols(["http/1.1"])
        trusted = context.get_ca_certs(binary_form=True)
        if trusted:
            copy.load_verify_locations(cadata=b"".join(trusted))
        else:
            copy.load_default_certs()
        COPIES[context] = copy
    return COPIES[context]


def ca_bundle() -> str | None:
    """Return the file or folder of trusted certificates that the environment names, as for other clients.

    OpenSSL itself reads SSL_CERT_FILE and SSL_CERT_DIR, which come before the others.
    """
    if any(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")):
        return None
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or None


@cache
def default_ssl_context(bundle: str | None) -> ssl.SSLContext:
    """Return a context that trusts a bundle, or else whom the system trusts. It is made once.

    Raises OSError if there is no such file or folder, or no certificate in it.
    """
    if bundle is None:
        context = ssl.create_default_context()
    else:
        try:
            if os.path.isdir(bundle):
                context = ssl.create_default_context(capath=bundle)
            else:
                context = ssl.create_default_context(cafile=bundle)
        except OSError as exc:
            raise OSError(f"REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE: {bundle!r}: {exc}") from exc
    context.set_alpn_protocols(["http/1.1"])
    return context


READ_SIZE = 16 * 1024
"""Bytes to decrypt at a time: the most that a record can hold (RFC 8446, section 5.1)."""
REFUSALS = (
    "ACCESS_DENIED", "CERTIFICATE", "CIPHER", "HANDSHAKE_FAILURE", "INSUFFICIENT_SECURITY", "KEY_TOO_SMALL",
    "PROTOCOL", "RENEGOTIATION", "UNKNOWN_CA", "UNRECOGNIZED_NAME", "VERSION_TOO_LOW",
)  # fmt: skip
"""Words in OpenSSL's reasons for that, such as TLSV13_ALERT_CERTIFICATE_REQUIRED or UNSUPPORTED_PROTOCOL."""
COPIES: WeakKeyDictionary[ssl.SSLContext, ssl.SSLContext] = WeakKeyDictionary()
