"""Image, the first page; and for `streamlit run`, the server of all pages."""

from streamlit import runtime
from streamlit.starlette import App

if runtime.exists():  # a visit
    from pages.ui.image.page import image_page

    image_page()
else:  # `streamlit run` looks for an `App` in this file, and serves what it finds
    from starlette.middleware import Middleware

    from estimators.decode.pool import use_children
    from estimators.workflows.room import use_room
    from pages.ui.server.asgi import FilesOnDisk
    from pages.ui.server.head import StyleInHead
    from pages.ui.server.quiet_log import keep_quiet

    keep_quiet()
    use_children()
    use_room()
    app = App(__file__, middleware=[Middleware(FilesOnDisk), Middleware(StyleInHead)])
