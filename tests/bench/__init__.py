"""Measured ratios beside the bars they answer to; `make bench` runs them all."""
