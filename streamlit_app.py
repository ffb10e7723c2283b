"""Image, the first page; and for `streamlit run`, the server of all pages."""

from streamlit import runtime
from streamlit.starlette import App

if runtime.exists():  # a visit
    from pages.ui.image.page import image_page

    image_page()
else:  # `streamlit run` looks for an `App` in this file, and serves what it finds
    from starlette.middleware import Middleware

    from estimators.decode.pool import use_children
    from estimators.media.limits import allowed_by
    from estimators.workflows.room import use_room
    from pages.ui.server.asgi import FilesOnDisk
    from pages.ui.server.head import StyleInHead
    from pages.ui.server.quiet_log import keep_quiet
    from pages.ui.server_settings import settings_at_start

    keep_quiet()
    settings = settings_at_start()
    use_children(settings.decode_s)
    use_room(allowed_by(settings).work_mb)
    files = Middleware(FilesOnDisk, models_mb=settings.memory_mb)
    app = App(__file__, middleware=[files, Middleware(StyleInHead)])
