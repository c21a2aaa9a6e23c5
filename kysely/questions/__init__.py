"""One file a question type: what it asks, accepts and records. Authors name the file with `type:`."""
