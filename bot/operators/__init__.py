"""What operators do on the command line: orders, refunds, reconciliation, review."""
