"""Help for testing anything that reads or writes an event stream, this library or another."""
