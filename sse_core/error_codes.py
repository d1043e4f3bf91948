"""What a provider's error codes say: whether trying again makes sense, and whose fault it is."""

from __future__ import annotations

from collections.abc import Iterable


def worth_retrying(*codes: str | int | None) -> bool:
    """Return whether the same request may succeed later, by the code and type of its error.

    A number, also one in a string, counts as an HTTP status (RFC 9110, 15): 408, 409, 429 and 5xx are
    temporary. Words are compared without case, punctuation and a final `error`.
    """
    words = normalise(codes)
    may = bool(words & TEMPORARY) or any(is_temporary_status(status) for status in statuses(words))
    return may and not words & FINAL


def is_final(*codes: str | int | None) -> bool:
    """Return whether this code or type says that the error is permanent, whatever the status says."""
    return bool(normalise(codes) & FINAL)


def is_callers_fault(*codes: str | int | None) -> bool:
    """Return whether this code or type is about the request, or about who sent it."""
    words = normalise(codes)
    return bool(words & CALLERS_FAULT) or any(400 <= status < 500 for status in statuses(words))


def is_temporary_status(status: int) -> bool:
    """Return whether the same request may have another HTTP status next time."""
    return status in (408, 409, 429) or status >= 500


def normalise(codes: Iterable[str | int | None]) -> set[str]:
    """Return the codes in lower case, without punctuation and a final `error`.

    A number that is no HTTP status is left out.
    """
    named = [code for code in codes if isinstance(code, str) or code in HTTP_STATUSES]
    letters = ("".join(filter(str.isalnum, str(code)[:LONGEST].lower())) for code in named)
    return {word.removesuffix("error") for word in letters}


def statuses(words: set[str]) -> list[int]:
    return [int(word) for word in words if len(word) == 3 and word.isascii() and word.isdigit()]


TEMPORARY = {
    *("overloaded", "engineoverloaded", "capacityexceeded", "overcapacity", "slowdown"),
    *("ratelimit", "ratelimitexceeded", "toomanyrequests", "resourceexhausted", "tokenratelimitexceeded"),
    *("server", "internalserver", "internal", "api", "serviceunavailable", "unavailable", "badgateway"),
    *("timeout", "gatewaytimeout", "requesttimeout", "deadlineexceeded", "aborted", "apiconnection"),
}
FINAL = {"insufficientquota", "quotaexceeded", "billing", "billinghardlimitreached", "billingnotactive"}
"""Permanent, although they come with status 429 or as server errors."""
CALLERS_FAULT = {
    *("invalidrequest", "badrequest", "validation", "invalidargument", "notfound", "modelnotfound"),
    *("authentication", "permission", "permissiondenied", "unauthenticated", "invalidapikey"),
    *("ratelimit", "ratelimitexceeded", "toomanyrequests", "resourceexhausted", "tokenratelimitexceeded"),
    *("contextlengthexceeded", "contentfilter", *FINAL),
}
HTTP_STATUSES = range(100, 600)
LONGEST = 100
"""Characters of a code that are compared."""
