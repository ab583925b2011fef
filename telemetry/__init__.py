"""What those who run the server read: numbers of all processes together, and lines that name their request."""
