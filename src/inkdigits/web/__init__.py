"""The reader for browsers and other programs: a page to draw on and a service to call.

``create_app(reader)`` in `inkdigits.web.app` makes the application, `inkdigits.web.server` serves it. Needs
``pip install 'inkdigits[web]'``.
"""
