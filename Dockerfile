# forequake with all that it runs with: for the worker, the dashboard, and Prefect's server, from the same pins.
# Not built on a Docker engine yet: docs/operations.md says what was tried instead.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/venv
COPY constraints.txt pyproject.toml README.md LICENSE ./
# First what changes seldom, so that a change of forequake itself does not fetch everything again.
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && /opt/venv/bin/python -m pip install -c constraints.txt -r requirements.txt \
    && python -m pip install -c constraints.txt hatchling
COPY forequake forequake
COPY stores stores
COPY flows flows
COPY dashboard dashboard
# What builds the wheel is pinned as well, hence without pip's own choice of it; and it stays out of the image.
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
    && /opt/venv/bin/python -m pip install --no-deps wheels/*.whl \
    && /opt/venv/bin/python -m pip check \
    && /opt/venv/bin/python -m compileall -q -j 0 /opt/venv

FROM ${PYTHON}
LABEL org.opencontainers.image.title="forequake" org.opencontainers.image.licenses="BSD-3-Clause"
# What runs may write to /data and /tmp; the rest of the image belongs to root.
RUN useradd --uid 10001 --user-group --no-log-init --home-dir /data --create-home --shell /usr/sbin/nologin forequake
COPY --from=build /opt/venv /opt/venv
COPY docker /opt/forequake/docker
COPY examples /opt/forequake/examples
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/data \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /data
USER forequake
CMD ["forequake", "--help"]
