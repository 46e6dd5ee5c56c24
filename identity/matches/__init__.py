"""How well the stored faces tell people apart; nothing here decides about anybody."""
