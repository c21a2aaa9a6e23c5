"""The survey engine. Importing this package imports nothing else: the doors load what they need."""
