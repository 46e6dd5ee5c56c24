"""The pages about vehicles: the gates, each visit's proof, the register."""
