"""Who makes Moments: the only part that touches every respondent."""
