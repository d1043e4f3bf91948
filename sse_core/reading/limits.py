"""How much a peer may send."""

from __future__ import annotations

from msgspec import Struct

from ..checks import check_count


class Limits(Struct, frozen=True, kw_only=True):
    """How much a peer may send before it is an error or no longer kept: in bytes, if nothing else is said."""

    max_event_size: int = 16 * 2**20
    """Of one event's data; more is EventTooLarge."""
    max_head_size: int = 64 * 2**10
    """Of the response head; more is a ProtocolError."""
    max_header_fields: int = 500
    """Fields of the response head, and of trailers behind the body; more is a ProtocolError."""
    max_interim_responses: int = 16
    """Responses of status 1xx before the final one; more is a ProtocolError."""
    max_error_body: int = 64 * 2**10
    """Of a refused response's body that is kept for the error; the rest is not read."""
    max_document_size: int = 16 * 2**20
    """Of an answer that comes as one document in place of events; more is EventTooLarge."""
    max_answer_size: int = 64 * 2**20
    """Of a response's body, decoded, whose chunks are put together; of a longer one there is no message."""
    max_expansion: int = 1000
    """How many bytes one byte of a compressed body may stand for, past 2**20; more is a ProtocolError."""
    max_redirects: int = 10
    """How many redirects are followed, one after another."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            check_count(f"Limits.{name}", getattr(self, name), least=0 if name in MAY_BE_ZERO else 1)


MAY_BE_ZERO = {
    "max_document_size",
    "max_interim_responses",
    "max_error_body",
    "max_answer_size",
    "max_redirects",
}
"""Without these there is still a stream."""
