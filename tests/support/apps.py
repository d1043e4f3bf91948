"""Servers that others wrote, each in the background for the length of a block, which gets its URL."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import hypercorn.asyncio
import hypercorn.config
import uvicorn
from aiohttp import web
from anyio.from_thread import start_blocking_portal

from support.programs import find_program, free_port, running
from support.servers import GENEROUS, eventually


@contextmanager
def on_uvicorn(app: Any) -> Generator[str]:
    config = uvicorn.Config(app, port=0, ws="none", lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started)
        host, port = server.servers[0].sockets[0].getsockname()
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(GENEROUS)
    assert not thread.is_alive()


@contextmanager
def on_hypercorn(app: Any) -> Generator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.accesslog = None
    config.errorlog = None

    async def run() -> None:
        stopped = asyncio.Event()
        stop.append((asyncio.get_running_loop(), stopped))
        # Its signature names parameters of no type.
        await hypercorn.asyncio.serve(  # pyright: ignore[reportUnknownMemberType]
            app, config, shutdown_trigger=stopped.wait
        )

    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    thread = Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        eventually(lambda: bool(stop))
        loop, stopped = stop[0]
        loop.call_soon_threadsafe(stopped.set)
        thread.join(GENEROUS)
    assert not thread.is_alive()


@contextmanager
def on_aiohttp(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Generator[str]:
    @asynccontextmanager
    async def running() -> AsyncGenerator[str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running()) as url:
        yield url


# nginx.


@contextmanager
def behind_nginx(
    base_url: str, folder: Path, *, certificate: Path | None = None, options: str = ""
) -> Generator[str]:
    """Put nginx in front of `base_url`, with `options` for the way there, and everything in `folder`.

    It gets a port that was free a moment ago.
    """
    nginx, target = find_program("nginx"), urlsplit(base_url)
    built = subprocess.run([nginx, "-V"], capture_output=True, text=True, check=True).stderr
    temporary: list[str] = re.findall(r"--http-([a-z-]+)-temp-path=", built)
    temporary = [f"{name.replace('-', '_')}_temp_path {folder}/{name};" for name in temporary]
    host, port = "127.0.0.1", free_port()
    scheme, listen = "http", f"listen {host}:{port};"
    if certificate is not None:
        scheme = "https"
        files = f"ssl_certificate {certificate}; ssl_certificate_key {certificate};"
        listen = f"listen {host}:{port} ssl; {files}"
    (folder / "nginx.conf").write_text(
        NGINX.format(
            folder=folder,
            temporary=" ".join(temporary),
            listen=listen,
            origin=f"{target.scheme}://{target.netloc}",
            options=options,
        )
    )
    command = [nginx, "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"]
    with running(command, port, folder):
        yield f"{scheme}://{host}:{port}{target.path}"


NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    {temporary}
    server {{
        {listen}
        location / {{
            proxy_pass {origin};
            {options}
        }}
    }}
}}
"""


def write_certificate(certificate: Any, path: Path) -> Path:
    """Write a certificate of trustme's, with its key, to a file for a server."""
    certificate.private_key_and_cert_chain_pem.write_to_path(str(path))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)
    return path
