"""Measurements of everything, beside other clients: `python -m benchmarks`. Needs `requirements.txt`."""
