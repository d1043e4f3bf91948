"""What a transport has to do, each thing a coroutine function that fails if it does not.

Written once for both kinds: a transport that blocks is called from threads.
"""

from __future__ import annotations

from . import deadlines, leaving, tls, traffic
from .case import Case, Contract, HangError, cause

__all__ = ["CHECKS", "TLS_CHECKS", "Case", "Contract", "HangError", "cause"]

CHECKS: list[Contract] = [*traffic.CHECKS, *deadlines.CHECKS, *leaving.CHECKS]
TLS_CHECKS: list[Contract] = tls.CHECKS
