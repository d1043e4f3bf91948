"""Ring 1, the grammar of event streams: bytes in, events out, and back (WHATWG HTML, 9.2)."""
