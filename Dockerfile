# The worker for a container group: docker build -t lrtkit-worker .
# With the bundled argon workload, which needs NumPy: docker build -t lrtkit-worker --build-arg EXTRA_PACKAGES="numpy" .
# For a workload of your own: FROM lrtkit-worker, as notebooks/07_your_workload.ipynb shows
FROM python:3.13-slim-trixie

# No init is needed: the worker installs its signal handlers expressly, and adopts and ends what its workloads leave behind.
RUN useradd --create-home --uid 1000 worker

ENV PYTHONUNBUFFERED=1 PYTHONPATH=/app
WORKDIR /app

# No package is here yet, so this layer holds the dependencies alone, and lasts until they change.
COPY pyproject.toml constraints.txt README.md LICENSE ./
ARG EXTRA_PACKAGES=""
# hadolint ignore=SC2086
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
    --constraint constraints.txt . ${EXTRA_PACKAGES} \
    && rm -rf build ./*.egg-info

COPY lrtkit/__init__.py lrtkit/
COPY lrtkit/wire lrtkit/wire
COPY worker worker
# The worker may not write here, and would compile all of it again for each job.
RUN python -m compileall -q lrtkit worker

USER 1000
ENTRYPOINT ["python", "-m", "worker"]
