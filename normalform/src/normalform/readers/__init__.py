"""A module for each format, or for some that are alike: bytes in, a `Decoded` out."""
