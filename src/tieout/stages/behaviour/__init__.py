"""How each customer pays, from its own paid history."""
