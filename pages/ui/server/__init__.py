"""What stands before Streamlit's own server: files pass it on the disk, not in its memory."""
