"""The adapters of plate finders and plate readers, one library each."""
