"""What the codes of providers' errors say: is trying again worth it, and who is to blame."""

from __future__ import annotations

from collections.abc import Iterable


def worth_retrying(*codes: str | int | None) -> bool:
    """Return whether an error with this code or type may pass by itself.

    A number, also one in a string, counts as an HTTP status (RFC 9110, 15): 408, 409, 429
    and 5xx may. Words are compared without case, punctuation and a final `error`.
    """
    words = words_of(codes)
    may = bool(words & TEMPORARY) or any(passes(status) for status in statuses(words))
    return may and not words & FINAL


def is_final(*codes: str | int | None) -> bool:
    """Return whether this code or type says that the error stays, whatever the status says."""
    return bool(words_of(codes) & FINAL)


def is_callers_fault(*codes: str | int | None) -> bool:
    """Return whether an error with this code or type is about what was asked, or who asks."""
    words = words_of(codes)
    return bool(words & REQUEST) or any(400 <= status < 500 for status in statuses(words))


def passes(status: int) -> bool:
    """Return whether an HTTP status may be another one next time."""
    return status in (408, 409, 429) or status >= 500


def words_of(codes: Iterable[str | int | None]) -> set[str]:
    """Return the codes as plain words; a number that is no status says nothing."""
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
"""These come with status 429 or as server errors, and stay."""
REQUEST = {
    *("invalidrequest", "badrequest", "validation", "invalidargument", "notfound", "modelnotfound"),
    *("authentication", "permission", "permissiondenied", "unauthenticated", "invalidapikey"),
    *("ratelimit", "ratelimitexceeded", "toomanyrequests", "resourceexhausted", "tokenratelimitexceeded"),
    *("contextlengthexceeded", "contentfilter", *FINAL),
}
HTTP_STATUSES = range(100, 600)
LONGEST = 100
"""Characters of a code that are looked at."""
