"""What is zipped for AWS Lambda: the rules of stock files, fates and alerts, and three thin handlers over them.

Knows nothing of Streamlit, of pages or of the embedded engine. Importing any module here needs no
environment, no region and no network.
"""
