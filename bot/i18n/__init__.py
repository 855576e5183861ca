"""Texts: marked in code, translated in catalogues, rendered with isolated left-to-right runs."""
