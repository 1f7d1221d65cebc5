"""The Streamlit application and the figures that it shows."""
