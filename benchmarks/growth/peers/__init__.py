"""What one would pick instead: public packages and the 3-sigma rule, on the same streams as the ledger."""
