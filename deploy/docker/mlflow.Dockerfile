# MLflow, which takes more packages than all the rest: an image of its own, from the root of a checkout.
#   docker build -f deploy/docker/mlflow.Dockerfile -t localhost/trainyard-mlflow:dev .
FROM python:3.11-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1
COPY src/trainyard/stack/uv-bin.lock src/trainyard/stack/mlflow.lock /locks/
RUN python3 -m pip install --require-hashes --target /uv -r /locks/uv-bin.lock
RUN /uv/bin/uv venv --python python3 /opt/mlflow \
    && /uv/bin/uv pip install --python /opt/mlflow --require-hashes -r /locks/mlflow.lock
# what the server imports is in the image as bytecode; all that MLflow brings would be 150 MB more
RUN MLFLOW_DISABLE_TELEMETRY=true /opt/mlflow/bin/python -c "import mlflow.cli, mlflow.server.fastapi_app, uvicorn.workers, \
    mlflow.store.tracking.sqlalchemy_store, mlflow.store.model_registry.sqlalchemy_store, boto3; boto3.client('s3', region_name='x')"

FROM python:3.11-slim
LABEL org.opencontainers.image.title="trainyard-mlflow" org.opencontainers.image.licenses="Apache-2.0"
# two processes instead of fifteen, and no word to anybody
ENV PATH=/opt/mlflow/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp \
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true \
    AWS_REQUEST_CHECKSUM_CALCULATION=when_required AWS_RESPONSE_CHECKSUM_VALIDATION=when_required
COPY --from=packages /opt/mlflow /opt/mlflow
RUN mkdir /data && chown 10001:10001 /data
USER 10001:10001
WORKDIR /data
EXPOSE 5000
ENTRYPOINT ["python", "-P", "-m", "mlflow", "server"]
CMD ["--host=0.0.0.0", "--port=5000", "--workers=1", "--backend-store-uri=sqlite:////data/mlflow.db"]
