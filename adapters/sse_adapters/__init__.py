"""Drives the sessions of `sse_core` over real connections.

The clients, one module for each runtime:

- `threads`: blocking sockets, for programs that use threads or none.
- `anyio`: asyncio and trio.
- `asyncio`: asyncio alone, without anyio. The client of `anyio` has these connections on asyncio.
- `portal`: blocking streams for threads that share one event loop.

What they are made of, for those who bring a transport of their own:

- `sync_loop` and `async_loop`: clients for any transport that has their `Transport`'s verbs.
- `transports`: bases that add TLS to a transport. `testing`: checks of a transport.
- `options`: the options of clients, and what an observer is.

What can be attached to a client, and what stands beside it:

- `transcripts`: records streams to files, and replays them. `opentelemetry`: spans and metrics.
- `server`: a small server that answers chat requests, for tests and demonstrations.
- `cli`: the command `sse`.

Private in all but name: `base` has what the two loops share, `connections` the pool between threads,
`sockets` and `tls` what the transports here are made of.
"""
