# The service in a container: what reading and serving need, and nothing of training.
#
#   docker build --tag inkdigits .
#   python3 -c 'import secrets; print(secrets.token_urlsafe())' > token
#   docker run --read-only --cap-drop ALL --publish 127.0.0.1:8000:8000 \
#       --volume "$PWD/token:/run/secrets/token:ro" inkdigits

FROM python:3.11-slim

COPY pyproject.toml README.md LICENSE /source/
COPY src /source/src
RUN pip install --no-cache-dir --root-user-action ignore '/source[web,pdf,heic]' && rm -r /source

USER 65534:65534
WORKDIR /
ENV PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["inkdigits", "serve", "--host", "0.0.0.0"]
CMD ["--token-file", "/run/secrets/token"]
