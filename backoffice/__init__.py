"""The admin around the pages of the rooms: its look, its first page, its way around."""
