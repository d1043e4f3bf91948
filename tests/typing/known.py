"""Fails unless pyright knows the type of everything that a package exports, without inferring any of it.

python -m tests.typing.known sse_adapters
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]


def main(package: str) -> int:
    paths = [str(ROOT), str(ROOT / "adapters")]
    scripts = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": os.pathsep.join([str(scripts), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(paths),
        "VIRTUAL_ENV": str(scripts.parent),
    }
    command = [str(scripts / "pyright"), "--verifytypes", package, "--ignoreexternal"]
    with TemporaryDirectory() as elsewhere:  # where no configuration is for the sources
        result = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True)
    if "completeness score: 100%" in result.stdout:
        return 0
    print(result.stdout)
    return 1


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
