"""What the pages share of Streamlit: the frame around each page, cached reads, tables, charts, receipts.

Imports services and the Lambdas' words; never a page.
"""
