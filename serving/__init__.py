"""How the server runs: its processes under `manage.py serve`, the bodies of requests and answers, probes, metrics."""
