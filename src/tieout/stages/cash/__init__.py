"""Money applied to documents: stated, proposed, applied, undone."""
