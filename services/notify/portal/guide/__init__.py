"""The receiver's guide: a sample in each language, run by the tests as it stands."""
