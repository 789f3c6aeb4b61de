"""The Overview's parts, one module each, in the order in which they stand: a part with nothing to say draws nothing.

They say what the stock, its changes and its uploads come to; they keep nothing of their own.
"""
