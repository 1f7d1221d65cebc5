"""The dashboard: ``forequake dashboard``, or ``streamlit run dashboard/app.py``."""

from pathlib import Path

# Plotly looks for pandas among the modules that are loaded, and fails on one that another reader's page is
# only loading: two readers who open a new server at once. Imported here, it is whole before any page runs.
import pandas as pd  # noqa: F401
import streamlit as st

from dashboard.views._failures import explained
from dashboard.views._filters import keep_choices, link_to, say_moment
from dashboard.views._frame import draw_frame
from dashboard.views._sharing import choose_picture, offer_link

_ICON = str(Path(__file__).parent / "assets" / "icon.svg")

st.set_page_config(page_title="forequake", page_icon=_ICON, layout="wide")
st.logo(_ICON, size="large")
result = st.Page("views/result.py", title="Result")
#: By the headings of the list of pages; the result has none, since links lead to it.
pages = {
    "Results": [
        st.Page("views/overview.py", title="Overview", icon=":material/grid_view:", default=True),
        st.Page("views/consistency.py", title="Consistency", icon=":material/align_justify_center:"),
        st.Page("views/comparison.py", title="Comparison", icon=":material/balance:"),
        st.Page("views/time.py", title="Over time", icon=":material/timeline:"),
        st.Page("views/calibration.py", title="Calibration", icon=":material/bar_chart:"),
        st.Page("views/alarms.py", title="Alarms", icon=":material/show_chart:"),
    ],
    "Inputs": [
        st.Page("views/map.py", title="Map", icon=":material/map:"),
        st.Page("views/catalog.py", title="Catalog", icon=":material/scatter_plot:"),
    ],
    "Runs": [
        st.Page("views/runs.py", title="Runs", icon=":material/monitor_heart:"),
        st.Page("views/provenance.py", title="Provenance", icon=":material/account_tree:"),
        st.Page("views/revisions.py", title="Compare", icon=":material/compare_arrows:"),
    ],
}
page = st.navigation([*(one for group in pages.values() for one in group), result], position="hidden")
#: Streamlit's own colours of captions and ticks have too little contrast for many readers (WCAG 1.4.3).
#: Both are taken from the letters around them, so that they follow where a system changes to dark meanwhile.
_LETTERS = "color-mix(in srgb, currentColor 74%, transparent)"
st.html(
    "<style>.stMainBlockContainer {padding-top: 4rem}"
    f'[data-testid="stCaptionContainer"] {{color: {_LETTERS}; opacity: 1}}'
    '[data-testid="stCaptionContainer"] p {color: inherit; opacity: 1}'
    f".js-plotly-plot :is(.xtick, .ytick) > text {{fill: {_LETTERS} !important}}"
    # The letters of a choice made are too dark in the dark, those of commands too pale in the light.
    '[data-testid="stButtonGroup"] :is(button, button p), .stCode .token {color: inherit !important}</style>'
)
with explained():
    keep_choices()
    links = st.sidebar.container(gap="small")
    # A link to a result names all that its page shows. Of runs there is something to see before any result.
    shown = None if page == result else draw_frame(without_results=page.url_path == "runs")
    choose_picture()
    say_moment()
    if page == result or shown is not None:
        page.run()
    if shown is not None and shown.windows.listed:
        offer_link(page.url_path, shown)
    with links:
        for heading, group in pages.items():
            with st.container(gap=None):
                st.caption(heading)
                for one in group:
                    st.page_link(one, query_params=link_to())
