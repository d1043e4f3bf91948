"""What the body of a response says: its events become chunks, a message and a verdict."""
