"""MongoDB as the services use it: transactions, leases, change streams."""
