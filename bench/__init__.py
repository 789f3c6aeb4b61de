"""What things cost, measured side by side. `python -m bench.NAME` runs one."""
