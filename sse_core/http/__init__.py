"""Ring 2, HTTP/1.1 without I/O: one request and its response, and what gets a request to its server."""
