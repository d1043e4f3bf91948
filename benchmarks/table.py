"""How right the decoders are: the kit, run over all of them.

    python -m benchmarks.environments
    python -m benchmarks.table > table.md

Takes some minutes, for the sake of decoders whose time grows with the square of a line's length.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from .environments import APART, python
from .peers import PEERS

CHECKS = ("vectors", "chunking", "promptness", "random streams", "no exception", "linear time")


def score(name: str) -> dict[str, str]:
    """Return right and of how many for each check."""
    function = f"benchmarks.peers:{name.replace('-', '_')}"
    command = [python(name), "-W", "ignore", "-m", "sse_core.testing", function, "--json"]
    result = subprocess.run(command, capture_output=True, text=True)
    checks = json.loads(result.stdout)["checks"]
    return {check["name"]: f"{check['right']} of {check['of']}" for check in checks}


def version(name: str) -> str:
    pinned = Path(__file__).with_name("requirements.txt").read_text()
    found = re.search(rf"^{name}==(.*)$", pinned, re.MULTILINE)
    return found[1] if found else APART[name]


def main() -> None:
    print(f"| decoder | {' | '.join(CHECKS)} |")
    print("|---" * (len(CHECKS) + 1) + "|")
    for name in ("sse-core", *PEERS):
        found = score(name)
        title = name if name == "sse-core" else f"{name} {version(name)}"
        print(f"| {title} | {' | '.join(found[check] for check in CHECKS)} |", flush=True)


if __name__ == "__main__":
    main()
