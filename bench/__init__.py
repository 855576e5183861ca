"""Measurements. Nothing of them is part of the installed service."""
