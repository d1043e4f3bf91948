"""Leaves credentials out of what is written down. Everything is parsed, in time linear in its size.

What a credential is, is told by names: of header fields, of parameters in URLs, and of members of JSON
objects in the body of a request. Prompts and answers stay.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import msgspec

from ..http.response import Response
from .actions import Fetch


def redact_request(data: bytes, secret_names: frozenset[str] = frozenset()) -> bytes:
    """Leave credentials out of the bytes of a request, or of what a proxy is told."""
    if data.startswith(b"\x01"):  # RFC 1929, 2: no method begins like this
        return b"\x01" + HIDDEN
    head, end, body = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    words = [redact_url(word) for word in first.split(b" ")]
    fields = [redact_line(line, secret_names) for line in lines]
    return b"\r\n".join([b" ".join(words), *fields]) + end + redact_json(body)


def redact_fetch(fetch: Fetch, secret_names: frozenset[str] = frozenset()) -> Fetch:
    """Leave credentials out of a request that another HTTP client sends."""
    return msgspec.structs.replace(
        fetch,
        url=redact_url(fetch.url.encode()).decode(),
        headers=tuple(
            (name, HIDDEN.decode() if is_secret(name.encode()) or name.lower() in secret_names else value)
            for name, value in fetch.headers
        ),
        body=redact_json(fetch.body),
    )


def redact_response(response: Response) -> Response:
    """Leave credentials out of the head of a response."""
    headers = tuple((name, redact_value(name, value)) for name, value in response.headers)
    return Response(response.status, response.reason, headers, response.http_version)


def redact_value(name: str, value: str) -> str:
    if name.lower() in URL_FIELDS:
        return redact_url(value.encode("latin-1")).decode("latin-1")
    return HIDDEN.decode() if is_secret(name.encode()) else value


def redact_line(line: bytes, secret_names: frozenset[str]) -> bytes:
    """Leave the value out of a header field, if it is a credential."""
    name, colon, value = line.partition(b":")
    if not is_secret(name) and name.decode("latin-1").lower() not in secret_names:
        return line
    return name + colon + value[: len(value) - len(value.lstrip(b" \t"))] + HIDDEN


def redact_url(url: bytes) -> bytes:
    """Leave the values of secret parameters out of a URL or a request target, and user information."""
    rest, mark, fragment = url.partition(b"#")
    path, question, query = rest.partition(b"?")
    scheme, slashes, behind = path.partition(b"://")
    authority, slash, target = behind.partition(b"/")
    if b"@" in authority:
        path = scheme + slashes + HIDDEN + b"@" + authority.rpartition(b"@")[2] + slash + target
    parts = [path, question, redact_parameters(query), mark, redact_parameters(fragment)]
    return b"".join(parts)


def redact_parameters(query: bytes) -> bytes:
    return b"&".join(redact_parameter(parameter) for parameter in query.split(b"&"))


def redact_parameter(parameter: bytes) -> bytes:
    name, equals, _ = parameter.partition(b"=")
    plain = unquote_to_bytes(name)
    return name + equals + HIDDEN if equals and (is_secret(plain) or plain.lower() == b"code") else parameter


def redact_json(body: bytes) -> bytes:
    """Leave out the strings that are values of secret members of JSON objects."""
    if not body.lstrip().startswith((b"{", b"[")):
        return body
    kept: list[bytes] = []
    at = 0
    for member in MEMBER.finditer(body):
        if is_secret_member(member["name"]):
            kept += body[at : member.start("value")], HIDDEN
            at = member.end("value")
    return b"".join([*kept, body[at:]])


def is_secret(name: bytes) -> bool:
    """Whether a name of this kind is given to credentials."""
    return SECRET.search(name) is not None


def is_secret_member(name: bytes) -> bool:
    """The same for JSON, where `token` and `max_tokens` are words of language models, too."""
    return name.lower().replace(b"_", b"").replace(b"-", b"") in SECRET_MEMBERS


class HeadMasker:
    """Puts as many asterisks for the credentials in the head of a response, which may come in pieces.

    These are the values of secret fields, and the queries of URLs. The body stays as it is.
    """

    def __init__(self) -> None:
        self._ended = False
        self._interim = False  # another head follows this one
        self._start = b""  # of a line, as long as its field is not known
        self._known = False
        self._mask: re.Pattern[bytes] | None = None  # what is hidden of the field
        self._in_query = False

    def hide(self, data: bytes) -> bytes:
        """Return the next bytes, as many as are given."""
        hidden: list[bytes] = []
        at = 0
        while at < len(data) and not self._ended:
            end = data.find(b"\n", at) + 1 or len(data)
            hidden.append(self._hide(data[at:end]))
            at = end
        return b"".join([*hidden, data[at:]])

    def _hide(self, part: bytes) -> bytes:
        """Hide a line, or what has come of it."""
        value = 0  # where it begins
        if not self._known:
            line = self._start + part
            name, colon, _ = line.partition(b":")
            continued = line[:1] in (b" ", b"\t")  # the field before (RFC 9112, 5.2)
            if not (continued or colon or line.endswith(b"\n") or len(name) > LONGEST_NAME):
                self._start = line
                return part
            self._known = True
            if not continued:
                self._in_query = False
                self._mask = self._mask_of(name) if colon else None
                value = max(len(name) + 1 - len(self._start), 0)
            if not line.strip(b"\r\n"):
                self._ended, self._interim = not self._interim, False
            elif INTERIM.match(line):
                self._interim = True
        if part.endswith(b"\n"):
            self._start, self._known = b"", False
        return part if self._mask is None else part[:value] + self._masked(part[value:])

    def _mask_of(self, name: bytes) -> re.Pattern[bytes] | None:
        if name.lower().decode("latin-1") in URL_FIELDS:
            return QUERY
        return VISIBLE if is_secret(name) else None

    def _masked(self, value: bytes) -> bytes:
        if self._mask is VISIBLE or self._in_query:
            return VISIBLE.sub(b"*", value)
        begin = QUERY.search(value)
        if begin is None:
            return value
        self._in_query = True
        return value[: begin.end()] + VISIBLE.sub(b"*", value[begin.end() :])


SECRET = re.compile(
    rb"auth|cookie|credential|jwt|key|password|secret|session|sig(?!n\b|ht)|token", re.IGNORECASE
)
"""What the name of a credential has in it."""
SECRET_MEMBERS = {
    *(b"accesstoken", b"apikey", b"authorization", b"authtoken", b"clientsecret", b"credentials", b"idtoken"),
    *(b"password", b"privatekey", b"refreshtoken", b"secret", b"secretkey", b"sessiontoken"),
}
URL_FIELDS = {"location", "content-location", "refresh", "link"}
"""Fields whose values have URLs in them."""
MEMBER = re.compile(
    rb'"(?P<name>[^"\\]{1,40})"[ \t\r\n]{0,16}:[ \t\r\n]{0,16}"(?P<value>(?:[^"\\]|\\.)*)"', re.DOTALL
)
"""A member of a JSON object whose value is a string."""
HIDDEN = b"***"
QUERY = re.compile(rb"[?#]")
INTERIM = re.compile(rb"HTTP/1\.[01] 1")
VISIBLE = re.compile(rb"\S")
LONGEST_NAME = 256
"""Bytes of a field's name that are waited for."""
