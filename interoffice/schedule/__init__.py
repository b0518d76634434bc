"""What starts runs: times, files and mails that arrive, queues that fill, other runs that end."""
