"""What whoever runs the server has set, by environment or by Streamlit's secrets."""

from __future__ import annotations

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from estimators.errors import InputError
from estimators.settings import Settings, usable, with_secrets


def server_settings() -> Settings:
    """The settings of this server.

    Raises:
        InputError: one of them cannot be used; `open_page` says so before anything else.
    """
    return with_secrets(_secrets())


def settings_at_start() -> Settings:
    """As `server_settings`, which also puts the secrets into the environment of child processes.

    Where one of them cannot be used `open_page` says so, and until the server is started again the
    rest of the environment counts, or the defaults.
    """
    try:
        return server_settings()
    except InputError:
        return usable(_secrets())


def _secrets() -> dict[str, str]:
    try:
        secrets = {name: st.secrets[name] for name in st.secrets}
    except StreamlitSecretNotFoundError:  # there is no secrets file: the environment alone counts
        return {}
    # Sections of the file are not ours.
    return {k: str(v) for k, v in secrets.items() if isinstance(v, str | int | float)}
