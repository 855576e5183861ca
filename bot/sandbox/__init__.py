"""The outside world on loopback: a registry and a payment page that keep their contracts."""
