"""One client per outside system; each turns its answers into our values and our errors."""
