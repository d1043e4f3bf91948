"""What the dialects of several providers have in common."""
