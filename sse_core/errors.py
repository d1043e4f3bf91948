"""Every way a stream can fail, in one tree.

An error answers two questions: whose `fault` it is, and whether trying again makes
sense (`retryable`). Where a response had begun, it also carries that `response` and
the start of its `body`.

    StreamError
    ├── ConnectionFailed     no connection, or none that lasted until the response
    │   ├── CertificateRejected
    │   └── ProxyError       the proxy does not lead to the server
    ├── DeadlineExceeded     a deadline passed
    ├── ProtocolError        what came is not HTTP/1.1, or not what its content coding says
    ├── NotAnEventStream     a 200 that is something else
    ├── UnsupportedCoding    a content coding that cannot be decoded here
    ├── BodyTruncated        the connection ended inside the body
    ├── StreamIncomplete     the body ended before the stream said it was done
    ├── EventTooLarge        an event went over the limit
    ├── InvalidChunk         an event is not what its dialect documents
    ├── ApiError             the provider reported an error inside the stream
    │   └── StatusError      or by its HTTP status
    └── StreamClosed         this side closed the stream
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from .error_codes import is_callers_fault, is_final, is_temporary_status, worth_retrying

if TYPE_CHECKING:
    from .http.response import Response


class PartialMessage(Protocol):
    """What `StreamError.partial` is: a `Message`, which is defined further out than the errors are."""

    @property
    def text(self) -> str:
        """The text of the answer."""
        ...

    @property
    def reasoning(self) -> str:
        """The reasoning before it."""
        ...

    @property
    def refusal(self) -> str:
        """The words of a refusal."""
        ...

    @property
    def tool_calls(self) -> tuple[Any, ...]:
        """The tool calls, each a `ToolCall`."""
        ...

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended, if it says so."""
        ...

    @property
    def usage(self) -> Any:
        """How many tokens it took, a `TokenCounts`, if it says so."""
        ...

    @property
    def native(self) -> Any:
        """The provider's own struct for an answer that is not streamed."""
        ...


class Fault(Enum):
    """Who can do something about an error."""

    CALLER = "caller"
    NETWORK = "network"
    SERVER = "server"


class StreamError(Exception):
    """The stream did not come to a good end; each subclass says why."""

    fault: Fault = Fault.SERVER
    retryable: bool = False
    retry_after: float | None = None
    """How many seconds the provider asks to wait before the next request, wherever it says so."""

    def __init__(self, message: str, *, response: Response | None = None, body: bytes = b"") -> None:
        super().__init__(message)
        self.response = response
        self.body = body
        """The start of a refused response's body; empty for a stream, whose events were delivered."""
        self.partial: PartialMessage | None = None
        """What had come of the answer, put together; None if this dialect does not put chunks together."""
        self.cursor: str | int | None = None
        """Where the server would resume the stream, if it has said so."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Support pickle: the arguments of each constructor are in the attributes."""
        return type(self).__new__, (type(self), *self.args), self.__dict__


class ConnectionFailed(StreamError):
    """No connection, no TLS, or a connection that ended before the response head was complete."""

    fault = Fault.NETWORK
    retryable = True


class CertificateRejected(ConnectionFailed):
    """The server's certificate is not trusted, or not for this host."""

    fault = Fault.SERVER
    retryable = False


class ProxyError(ConnectionFailed):
    """The proxy does not lead to the server; `status` is its HTTP status, if it gave one.

    The fault is the caller's if the proxy wants other credentials (407), or if this side cannot do
    what it asks for. Trying again makes sense unless the proxy refused by its rules.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        fault: Fault = Fault.NETWORK,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.fault = fault
        self.retryable = retryable


class DeadlineExceeded(StreamError):
    """A deadline passed; `which` names the field of `Deadlines`, `seconds` how long it had been."""

    fault = Fault.NETWORK
    retryable = True

    def __init__(self, which: str, seconds: float, *, response: Response | None = None) -> None:
        super().__init__(f"deadline {which!r} exceeded after {seconds:.3f} s", response=response)
        self.which = which
        self.seconds = seconds


class ProtocolError(StreamError):
    """The peer broke HTTP/1.1 (RFC 9112) or a content coding, or went over a limit."""


class NotAnEventStream(StreamError):
    """The response is 200, but its Content-Type is not `text/event-stream` (WHATWG HTML, 9.2.3)."""


class UnsupportedCoding(StreamError):
    """The response has a content coding (RFC 9110, 8.4) that cannot be decoded here.

    It is unknown, or its library is not installed, or there are too many of them.
    """


class BodyTruncated(StreamError):
    """The body ended before the end that HTTP (RFC 9112, 8) or its content coding had announced."""

    fault = Fault.NETWORK
    retryable = True


class StreamIncomplete(StreamError):
    """The body is complete, but the stream is not: no terminal marker and no finish reason came."""

    retryable = True


class EventTooLarge(StreamError):
    """One event's data, type, id or retry value went over `limit` bytes; `seen` had come so far.

    The same error stands for a document in place of an event stream, and for an answer that was to be
    put together, over their limits.
    """

    def __init__(
        self, limit: int, seen: int, *, what: str = "an event", limited_by: str = "max_event_size"
    ) -> None:
        super().__init__(f"{what} is larger than {limited_by}: {seen} bytes seen, {limit} allowed")
        self.limit = limit
        self.seen = seen


class InvalidChunk(StreamError):
    """An event's data is not the JSON that the dialect documents; `raw` is that data."""

    def __init__(self, message: str, raw: bytes) -> None:
        super().__init__(message)
        self.raw = raw


class ApiError(StreamError):
    """The provider reported an error; the fields are the provider's, `None` if it gave none.

    `raw` is the data of the event, or the start of the body, that reported it.

    The fault is the caller's if the code or the type is about the request. Trying again makes sense
    if they say that the provider is overloaded, limits the rate or failed; a number counts as an HTTP
    status (RFC 9110, 15). Without a code and a type, the message is taken for one.
    """

    def __init__(
        self,
        message: str,
        *,
        type: str | None = None,
        code: str | int | None = None,
        param: object = None,
        failed_generation: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        raw: bytes = b"",
        response: Response | None = None,
    ) -> None:
        super().__init__(message, response=response, body=raw)
        self.retry_after = retry_after
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.failed_generation = failed_generation
        self.raw = raw
        self._request_id = request_id
        self._said = (message,) if code is None and type is None else (code, type)
        self.retryable: bool = worth_retrying(*self._said)
        if is_callers_fault(*self._said):
            self.fault = Fault.CALLER

    @property
    def status(self) -> int | None:
        """The HTTP status of the response; 200 for an error inside the stream."""
        return None if self.response is None else self.response.status

    @property
    def request_id(self) -> str | None:
        """The provider's ID of the request, from the response's head or else from the report."""
        in_head = None if self.response is None else self.response.request_id
        return in_head or self._request_id


class StatusError(ApiError):
    """The response's status is not 200 (WHATWG HTML, 9.2.3).

    `message` is the provider's, or else the reason phrase.

    The fault is the caller's for 4xx (RFC 9110, 15.5). Trying again makes sense for 408, 409, 429
    and 5xx, unless a quota is used up, and where the code says so; but the header `x-should-retry`
    comes before all of that.

    `request` is the method and the URL that were asked for, without a query; `""` if they are not known.
    `proxy` is the proxy that forwarded the request, and may have answered it itself; `""` if none saw it.
    """

    def __init__(
        self,
        message: str,
        *,
        response: Response,
        type: str | None = None,
        code: str | int | None = None,
        param: object = None,
        failed_generation: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        raw: bytes = b"",
    ) -> None:
        super().__init__(
            message,
            type=type,
            code=code,
            param=param,
            failed_generation=failed_generation,
            request_id=request_id,
            retry_after=retry_after,
            raw=raw,
            response=response,
        )
        self.request = ""
        self.proxy = ""
        status = f"HTTP {response.status}"
        self.args: tuple[Any, ...] = (f"{status}: {message}" if message else status,)
        self.fault = Fault.CALLER if 400 <= response.status < 500 else Fault.SERVER
        may_pass = (is_temporary_status(response.status) and not is_final(*self._said)) or self.retryable
        said = {"true": True, "false": False}.get(response.header("x-should-retry") or "")
        self.retryable: bool = may_pass if said is None else said

    def __str__(self) -> str:
        asked = f", for {self.request}" if self.request else ""
        through = f" (through the proxy {self.proxy})" if self.proxy else ""
        return super().__str__() + asked + through


class StreamClosed(StreamError):
    """The stream was closed by this side, before its end: there is nothing more to read."""

    fault = Fault.CALLER

    def __init__(self, message: str = "the stream was closed before its end") -> None:
        super().__init__(message)
