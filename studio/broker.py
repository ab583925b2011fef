"""The name of the queue, for who may load no models yet."""

STUDIO = "studio"
