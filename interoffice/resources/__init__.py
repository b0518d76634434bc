"""What a bot borrows: opened on first use, closed in reverse."""
