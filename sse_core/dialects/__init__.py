"""What each provider's events mean: one module for each dialect, imported by name."""
