"""What developers run; the server needs none of it."""
