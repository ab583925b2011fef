"""Clocks that are wrong: how a jump is noticed, and what becomes of times that lie ahead."""
