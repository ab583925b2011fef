"""Whether a store can do what it must: a write as uploads do it for /readyz, and every property for check_storage.

All of it happens below ``probes/`` and goes again.
"""
