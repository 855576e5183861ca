"""A machine that does everything that can happen to money, in any order, and says what must stay true.

`bank` is the truth: who was charged how much, whatever anybody believes. `gateway` puts two gateways before
it, one of each kind. `town` is everything around the orders: residents' chats, the registry, processes that
stop half-way. `rules` are what can happen, `truths` what must hold after each of them.

``python -m tests.payments.machine [examples]`` runs it and prints what it came through.
"""
