"""Ring 3, the life of one stream: connections, attempts, deadlines, and how it ended."""
