"""Sessions that speak Streamlit's own protocol to the real server and click on the real pages (`make load`)."""
