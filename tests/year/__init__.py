"""The simulated year, streams from files, and what sends them."""
