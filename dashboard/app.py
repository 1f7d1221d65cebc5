"""The dashboard: ``forequake dashboard``, or ``streamlit run dashboard/app.py``."""

from pathlib import Path

import streamlit as st

from dashboard.views._failures import explained

_ICON = str(Path(__file__).parent / "assets" / "icon.svg")

st.set_page_config(page_title="forequake", page_icon=_ICON, layout="wide")
st.logo(_ICON, size="large")
page = st.navigation(
    [
        st.Page("views/overview.py", title="Overview", default=True),
        st.Page("views/result.py", title="Result", visibility="hidden"),
    ]
)
st.html("<style>.stMainBlockContainer {padding-top: 4rem}</style>")
with explained():
    page.run()
