"""Mail to people who are invited: written, sent at most once, and told apart from what came back."""
