"""What is said about the estimates; each public module here is a report."""
