"""Human-pose estimators behind one interface; everything here runs without Streamlit."""
