"""One typed Settings: read from the environment and `.env` by an entry point, then passed on.

Secrets that nobody set are generated once per installation and kept in owner-only files in the data folder.
"""

import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from trainyard.contract.vocabulary import Execution
from trainyard.errors import InvalidSetting


def checkout() -> Path | None:
    """The checkout this code runs from, or None where it was installed as a package."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "trainer-template").is_dir() else None


def _env_files() -> tuple[Path, ...]:
    """The checkout's `.env`, then the current folder's, which wins."""
    root = checkout()
    return (*((root / ".env",) if root else ()), Path(".env"))


def _default_data_dir() -> Path:
    root = checkout()
    return root / ".trainyard" if root else Path.home() / ".trainyard"


class Settings(BaseSettings):
    """Every setting: its variable is TRAINYARD_ and its name. docs/settings.md shows the same table."""

    model_config = SettingsConfigDict(
        env_prefix="TRAINYARD_", env_file=_env_files(), extra="ignore", populate_by_name=True
    )

    data_dir: Path = Field(default_factory=_default_data_dir, description="Everything this installation keeps")
    trainers_dir: Path = Field(
        default_factory=lambda: checkout() or Path.cwd(), description="The folder that holds the trainer-* folders"
    )
    host: str = Field("127.0.0.1", description="Address the backend listens on")
    port: int = Field(8000, ge=1, le=65535, description="Port of the backend")
    url: str = Field("", description="Where the CLI finds the backend; empty: this machine, at the port above")
    public_url: str = Field("", description="The backend's address as browsers see it; empty: same as the CLI's")
    allowed_hosts: str = Field("", description="Further host names the backend answers to, separated by commas")
    allowed_origins: str = Field(
        "", description="Further origins whose pages may act with a session (a development server), separated by commas"
    )
    token: SecretStr | None = Field(None, description="The administrator's token; empty: generated at first use")
    signing_key: SecretStr | None = Field(None, description="Signs job tokens; set it when several backends share it")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in the data folder")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much the backend logs")

    storage_type: Literal["minio", "r2"] = Field("minio", description="minio: any S3-compatible server; r2: Cloudflare")
    s3_endpoint: str = Field("", description="S3 server; empty: the local one that `up` starts")
    s3_port: int = Field(30900, ge=1, le=65535, description="First of the ten ports of the local S3 server")
    s3_access_key: str = Field("", description="S3 access key; empty: generated for the local server")
    s3_secret_key: SecretStr | None = Field(None, description="S3 secret key; empty: generated for the local server")
    s3_bucket: str = Field("trainyard", description="Bucket for datasets, checkpoints, samples and logs")
    mlflow_url: str = Field("", description="MLflow server; empty: the local one that `up` starts")
    mlflow_port: int = Field(30500, ge=1, le=65535, description="Port of the local MLflow server")

    execution_mode: Execution = Field(
        Execution.LOCAL,
        validation_alias=AliasChoices("TRAINYARD_EXECUTION_MODE", "EXECUTION_MODE"),
        description="Tier of jobs that name none: local (also: subprocess), k8s or image",
    )
    kubeconfig: Path | None = Field(
        None,
        validation_alias=AliasChoices("TRAINYARD_KUBECONFIG", "KUBECONFIG"),
        description="The cluster's kubeconfig; empty: KUBECONFIG, ~/.kube/config, or the pod's own account",
    )
    k8s_context: str = Field("", description="Context of the kubeconfig; empty: its current one")
    k8s_namespace: str = Field(
        "trainyard", pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", description="Namespace of jobs on Kubernetes"
    )
    k8s_image: str = Field(
        "localhost/trainer-{framework}:dev", description="Image of a trainer; {framework} stands for its name"
    )
    k8s_pull_policy: Literal["IfNotPresent", "Always", "Never"] = Field(
        "IfNotPresent", description="When a node fetches an image: IfNotPresent, Always or Never"
    )
    k8s_backend_url: str = Field("", description="The backend's address as pods see it; empty: as this machine does")
    k8s_s3_url: str = Field("", description="The S3 server's address as pods see it; empty: as this machine does")
    k8s_mlflow_url: str = Field("", description="The MLflow server's address as pods see it; empty: the same")
    k8s_cpu: str = Field("1", description="CPUs kept for a pod whose trainer and job name none")
    k8s_memory: str = Field("4Gi", description="Memory of a pod whose trainer and job name none")
    k8s_node_selector: str = Field("", description="Labels a node must have: name=value, separated by commas")
    k8s_tolerations: str = Field(
        "", description="Taints that pods don't mind: name=value:effect or name:effect, separated by commas"
    )
    k8s_queue: str = Field("", description="Kueue's LocalQueue for jobs that name none; empty: no queue")

    slots: int = Field(
        default_factory=lambda: max(1, (os.cpu_count() or 2) // 2), ge=1, le=1024, description="Local jobs at once"
    )
    gpus: str = Field("auto", description="GPUs to lease to local jobs: auto, none, or indices such as 0,1")
    grace_seconds: float = Field(30, ge=0, le=3600, description="From asking a trainer to stop to killing it")
    heartbeat_seconds: float = Field(10, ge=0.1, le=300, description="How often a trainer says that it lives")
    silence_seconds: float = Field(90, ge=1, description="An idle or stopped trainer silent for so long is lost")
    stuck_seconds: float = Field(1800, ge=1, description="A busy trainer silent for so long is lost")
    launch_seconds: float = Field(3600, ge=1, description="Most a job may take from its slot to its first sign of life")
    max_relaunches: int = Field(3, ge=0, le=100, description="How often a job whose pod was taken away starts again")
    max_job_hours: float = Field(24 * 7, gt=0, description="Most a job may run")
    token_hours: float = Field(12, gt=0, le=24, description="How long a job's token lasts; renewed in heartbeats")
    sample_count: int = Field(4, ge=0, le=64, description="Validation pictures a trainer shows after each epoch")
    log_limit_mb: int = Field(64, ge=1, description="Most of a job's log that is kept; the middle is cut")
    loki_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("TRAINYARD_LOKI_URL", "LOKI_URL"),
        description="Loki that job logs are also sent to; it may hold user:password. Empty: none",
    )
    loki_token: SecretStr | None = Field(
        None, description="Bearer token for Loki, or the password of the user in its address"
    )
    max_upload_mb: int = Field(20_480, ge=1, description="Largest dataset or weights that may be uploaded")
    dataset_checks: int = Field(1, ge=1, le=16, description="Datasets that are checked at once, a process each")
    max_request_mb: int = Field(8, ge=1, description="Largest body of any other request")
    max_predict_mb: int = Field(
        64, ge=1, le=1024, description="Largest body of a request to predict, pictures included"
    )
    max_picture_pixels: int = Field(50_000_000, ge=1, le=89_000_000, description="Most pixels of a picture")
    usage_seconds: float = Field(
        10, ge=0, le=3600, description="How often CPU, memory, disk and GPUs of running jobs are looked at; 0: never"
    )
    webhook_private: Literal["auto", "true", "false"] = Field(
        "auto",
        description="Whether webhooks may lead into private networks and to this machine (true, false); auto: only "
        "where nothing but this machine reaches the backend, for its user reaches all that anyway",
    )
    predictors: int = Field(2, ge=1, le=64, description="Processes at once that show pictures to checkpoints")
    predictor_idle_seconds: float = Field(300, ge=0, description="How long one keeps its model when nobody asks")
    predict_seconds: float = Field(120, ge=1, description="Most that a request to predict may take, loading included")

    @field_validator("data_dir", "trainers_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    # -- where things are ------------------------------------------------------------------------------------------

    @property
    def backend_url(self) -> str:
        return self.url.rstrip("/") or f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'trainyard.db'}"

    @property
    def s3_url(self) -> str:
        return self.s3_endpoint.rstrip("/") or f"http://127.0.0.1:{self.s3_port}"

    @property
    def tracking_url(self) -> str:
        return self.mlflow_url.rstrip("/") or f"http://127.0.0.1:{self.mlflow_port}"

    @property
    def private_webhooks(self) -> bool:
        """Only a backend that listens to this machine, and is told of no other name, is for its user alone."""
        alone = self.host in ("127.0.0.1", "::1", "localhost") and not (self.public_url or self.allowed_hosts)
        return self.webhook_private == "true" or (self.webhook_private == "auto" and alone)

    @property
    def runs_dir(self) -> Path:
        return self.data_dir / "runs"

    @property
    def spool_dir(self) -> Path:
        return self.data_dir / "spool"

    @property
    def checks_dir(self) -> Path:
        return self.data_dir / "checks"

    @property
    def predictors_dir(self) -> Path:
        return self.data_dir / "predictors"

    @property
    def logs_dir(self) -> Path:
        return self.data_dir / "logs"

    @property
    def envs_dir(self) -> Path:
        return self.data_dir / "envs"

    # -- secrets, made once per installation -----------------------------------------------------------------------

    @cached_property
    def admin_token(self) -> str:
        return self._secret(self.token, "token", "ty_")

    @cached_property
    def jwt_key(self) -> str:
        return self._secret(self.signing_key, "signing_key", "")

    @cached_property
    def s3_keys(self) -> tuple[str, str]:
        """Access key and secret key of the store."""
        secret = self._secret(self.s3_secret_key, "s3_secret_key", "")
        return self.s3_access_key or self._secret(None, "s3_access_key", "ty")[:20], secret

    def make_secrets(self) -> None:
        """Make those that are missing now, so that whoever looks finds them from the start."""
        assert self.admin_token and self.jwt_key and self.s3_keys

    def _secret(self, given: SecretStr | None, name: str, prefix: str) -> str:
        if given is not None and given.get_secret_value():
            return given.get_secret_value()
        return keep_secret(self.data_dir / "secrets" / name, prefix)


def keep_secret(path: Path, prefix: str) -> str:
    """Read a generated secret, making it first where there is none. Two processes at once get the same one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(prefix + secrets.token_urlsafe(32))
        try:
            os.link(draft, path)  # fails where another process was first: then its secret counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def load_settings(**given: object) -> Settings:
    """The settings of this process. Raises InvalidSetting naming the variable and what is wrong with it."""
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "a setting"
        variable = name if name.isupper() else f"TRAINYARD_{name.upper()}"
        raise InvalidSetting(
            f"{variable}={first.get('input')!s} is not usable: {first['msg']}.",
            hint="docs/settings.md lists every setting.",
            field=variable,
        ) from None
