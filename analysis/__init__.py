"""Statistics: from an extract to estimates and charts. Knows no web and no database session."""
