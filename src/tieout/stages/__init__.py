"""Rows, in the order of the sentence: take in, state the truth, apply the cash, remember what was said, learn how
they pay, decide, reach out, write back. A stage may look left, never right."""
