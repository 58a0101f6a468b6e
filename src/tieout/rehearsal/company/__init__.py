"""The sample company: who its customers are, what it bills them, how they pay, and the files its systems would export.

Everything follows from a seed and a first day; asked for a later day, the world before it is the same to the cent. Nothing
here knows the product: it writes files, as the tools of a real company do.
"""
