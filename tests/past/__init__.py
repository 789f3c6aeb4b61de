"""A made-up past: a chain of stores that has sent its files for a year, as the tables and the bucket would hold it.

What pages look like, and what they cost, is judged with it. `names` has the stores and what they sell, `shops` who
sends which file when, `books` what the product keeps of it, by its own rules and in its own shapes, and `laying` puts
that into a running engine. `python -m tests.past --home FOLDER` does it to a new state folder, FOLDER/state.
"""
