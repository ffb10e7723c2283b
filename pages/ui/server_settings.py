"""What whoever runs the server has set, by environment or by Streamlit's secrets."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from estimators.errors import InputError
from estimators.settings import Settings, current, with_secrets


def server_settings() -> Settings:
    """The settings of this server.

    Raises:
        InputError: one of them cannot be used; `open_page` says so before anything else.
    """
    try:
        secrets = {name: st.secrets[name] for name in st.secrets}
    except StreamlitSecretNotFoundError:  # there is no secrets file: the environment alone counts
        secrets = {}
    # Sections of the file are not ours.
    plain = {k: str(v) for k, v in secrets.items() if isinstance(v, str | int | float)}
    return with_secrets(plain)


def settings_at_start() -> Settings:
    """As `server_settings`, which also puts the secrets into the environment of child processes.

    Where one of them cannot be used `open_page` says so, and until the server is started again the
    environment counts, or the defaults.
    """
    for given in (server_settings, current):
        with suppress(InputError):
            return given()
    return Settings()
