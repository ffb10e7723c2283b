"""The processes that host the models and the runner that talks to them."""
