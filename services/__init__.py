"""What the pages and the command line ask for: plain functions over the stack, on AWS or on the embedded engine.

Never imports Streamlit. `python -m services` is the command line.
"""
