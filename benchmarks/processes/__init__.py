"""The programs that benchmarks measure or are driven by: each a process of its own, so that its CPU time is its own."""
