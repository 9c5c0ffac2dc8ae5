"""The benchmarks of the spine; `benchmarks/README.md` says what each measures, how to repeat it and what was seen."""
