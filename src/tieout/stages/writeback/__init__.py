"""What other systems are to hear from us: the outbox, claimed, called and settled."""
