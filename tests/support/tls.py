"""A private certificate authority."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import trustme


@dataclass(frozen=True)
class Authority:
    """The authority, and what both sides have from it."""

    ca: trustme.CA
    client: ssl.SSLContext
    """Trusts the authority, and nobody else."""
    server: ssl.SSLContext
    """Proves to be 127.0.0.1."""

    @classmethod
    def found(cls) -> Authority:
        ca = trustme.CA()
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ca.configure_trust(client)  # pyright: ignore[reportUnknownMemberType]
        return cls(ca, client, server_context(ca, "127.0.0.1"))

    def server_for(self, *names: str) -> ssl.SSLContext:
        """The context of a server that proves to have these names or addresses."""
        return server_context(self.ca, *names)

    def client_with_certificate(self) -> ssl.SSLContext:
        """The context of a client that proves to be somebody."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.ca.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
        self.ca.issue_cert("somebody@example.test").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
        return context

    def demanding_server(self) -> ssl.SSLContext:
        """The context of a server that talks only to clients of this authority's."""
        context = self.server_for("127.0.0.1")
        context.verify_mode = ssl.CERT_REQUIRED
        self.ca.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
        return context


def server_context(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    return context
