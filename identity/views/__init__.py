"""The pages about people: who was seen, who works here, who is a stranger."""
