"""Renewing the residencies of a company's or a government body's workers: one by one, or by a file."""
