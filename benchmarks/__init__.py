"""Measurements. `python -m benchmarks` lists them. Needs the packages in `requirements.txt`."""
