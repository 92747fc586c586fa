"""Step 3: MLflow, in an environment of its own. It takes seconds to start, so nothing waits for it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from trainyard.errors import ServiceFailed
from trainyard.stack.probe import http_status
from trainyard.stack.service import Command, Port, Service, base_environment
from trainyard.uv import explain_failure, find_uv, uv_environment

LOCK = Path(__file__).with_name("mlflow.lock")


class Mlflow(Service):
    name = "mlflow"
    title = "MLflow"
    critical = False
    after = ("storage", "backend")
    start_seconds = 180
    stop_seconds = 5

    @property
    def url(self) -> str:
        return self.settings.tracking_url

    @property
    def external(self) -> bool:
        return bool(self.settings.mlflow_url)

    def ports(self) -> list[Port]:
        return [Port(self.settings.mlflow_port, "TRAINYARD_MLFLOW_PORT")]

    @property
    def environment(self) -> Path:
        return self.settings.envs_dir / "mlflow"

    def _python(self) -> Path:
        return self.environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    def prepare(self, stopping: Callable[[], bool], *, rebuild: bool) -> None:
        stamp = self.environment / "trainyard-lock"
        fresh = stamp.exists() and stamp.read_bytes() == LOCK.read_bytes() and self._python().exists()
        if fresh and not rebuild:
            return
        uv = find_uv(self.settings.data_dir)
        if uv is None:
            raise ServiceFailed(
                "MLflow's environment cannot be made: there is no uv.",
                hint="Start with ./trainyard, which installs it, or put uv on the PATH.",
            )
        stamp.unlink(missing_ok=True)
        where = str(self.environment)
        steps = (
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, where],
            [uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", "--python", where, str(LOCK)],
        )
        if all(self._install(argv, stopping) for argv in steps):
            stamp.write_bytes(LOCK.read_bytes())

    def _install(self, argv: list[str], stopping: Callable[[], bool]) -> bool:
        """Whether it ran to its end. Raises ServiceFailed saying why it could not."""
        env = uv_environment()
        process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while not stopping():
            try:
                output, _ = process.communicate(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue
            if process.returncode != 0:
                raise ServiceFailed("MLflow's environment could not be made.", hint=explain_failure(output))
            return True
        process.kill()
        process.wait()
        return False

    def command(self) -> Command:
        home = self.settings.data_dir / "mlflow"
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        port = self.settings.mlflow_port
        options: dict[str, object] = {
            "host": "127.0.0.1",
            "port": port,
            "workers": 1,
            "backend-store-uri": f"sqlite:///{home / 'mlflow.db'}",
            "artifacts-destination": f"s3://{self.settings.s3_bucket}/mlflow",
            "allowed-hosts": f"127.0.0.1:{port},localhost:{port}",  # a page on another host cannot rebind its way in
        }
        argv = [str(self._python()), "-P", "-m", "mlflow", "server", *(f"--{name}={options[name]}" for name in options)]
        return Command(argv, self._variables(), home)

    def _variables(self) -> dict[str, str]:
        env = base_environment(self.settings)
        for name in [name for name in env if name.startswith(("AWS_", "MLFLOW_", "TRAINYARD_"))]:
            if name != "AWS_CA_BUNDLE":
                del env[name]  # a profile or a server of the user's must not get between it and our store
        access_key, secret_key = self.settings.s3_keys
        return env | {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "MLFLOW_S3_ENDPOINT_URL": self.settings.s3_url,
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AWS_DEFAULT_REGION": "auto" if self.settings.storage_type == "r2" else "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",  # R2 refuses what botocore adds by default
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
            "NO_PROXY": ",".join(filter(None, (env.get("NO_PROXY"), "127.0.0.1", "localhost"))),
        }

    def answers(self) -> bool:
        return http_status(f"{self.url}/health") == 200
