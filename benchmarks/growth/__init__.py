"""The acceptance table of the growth science: simulated streams with their truth, peers beside it, real streams."""
