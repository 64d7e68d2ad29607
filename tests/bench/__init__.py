"""The benchmark: the project beside bare ceilings, in one run. How to read it: ``docs/benchmarks.md``."""
