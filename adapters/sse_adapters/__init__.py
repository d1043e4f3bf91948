"""Drives sessions of `sse_core` over real connections: one module for each runtime.

`sse_adapters.threads` uses blocking sockets, `sse_adapters.anyio` asyncio and trio,
`sse_adapters.asyncio` asyncio alone, and `sse_adapters.portal` an event loop that threads
share. Any other runtime takes a transport of a few verbs: see `sse_adapters.sync_loop` and
`sse_adapters.async_loop`.
"""
