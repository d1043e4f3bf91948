"""B5: a client that nobody closed lets the process end, in whatever way that ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import forking
from support.servers import GENEROUS, End, event, head, listening, says

IDLE = says(head(version="1.0") + event("one"), end=End.SILENCE)
PROGRAM = """
import sys, threading
from support.forking import EVENTS, make

client, run = make(sys.argv[1], sys.argv[2], {})

async def begin():
    global stream
    stream = client.stream(EVENTS)
    async for event in stream:
        print(event.data, flush=True)
        break

def read():
    async def main():
        await begin()
        async for event in stream:
            pass
    run(main)

ENDING
"""
ENDINGS = {
    "exception": "run(begin); raise LookupError",
    "sys-exit": "run(begin); sys.exit(1)",
    "daemon-thread": """
thread = threading.Thread(target=read, daemon=True)
thread.start()
while "stream" not in globals() or stream is None: pass
import time
time.sleep(0.3)
sys.exit(1)
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("transport", ["threads", "portal", "portal-trio", "asyncio", "trio"])
def test_a_client_that_nobody_closed_lets_the_process_end(transport: str, ending: str) -> None:
    with listening(IDLE) as server:
        program = PROGRAM.replace("ENDING", ENDINGS[ending])
        environment = {**os.environ, "PYTHONPATH": str(Path(forking.__file__).parents[1])}
        command = [sys.executable, "-c", program, transport, server.url]
        run = subprocess.run(command, capture_output=True, text=True, timeout=GENEROUS, env=environment)
    assert (run.returncode, run.stdout) == (1, "one\n"), run.stderr
