"""Iqamati: residents of Kuwait find what they owe, pay it and renew what expires, in a chat."""
