"""What is served: `streamlit run app.py`. The first page is overview.py, the others are in pages/.

Imports nothing that only a page needs: it runs once, before anybody looks, and may have to refuse to.
"""

import os
import sys
from pathlib import Path

import streamlit as st

from services import signing
from services.errors import StocktrailError
from ui import leaving, serving

try:
    serving.may_begin(os.environ)
    secrets = signing.secrets(os.environ)
    middleware = [*serving.middleware(os.environ), *leaving.middleware(os.environ)]
except StocktrailError as error:
    sys.exit(f"Stocktrail does not start. {error}")
app = st.App(Path(__file__).with_name("overview.py"), secrets=secrets, lifespan=serving.opened, middleware=middleware)
