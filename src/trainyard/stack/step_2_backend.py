"""Step 2: the backend. Jobs live in sessions of their own, so they outlive it."""

import os
import sys

from trainyard.stack.probe import http_status
from trainyard.stack.service import Command, Port, Service, base_environment
from trainyard.uv import uv_environment, uv_folder


class Backend(Service):
    name = "backend"
    title = "The backend"
    stop_seconds = 15

    @property
    def url(self) -> str:
        return self.settings.backend_url

    @property
    def external(self) -> bool:
        return bool(self.settings.url)

    def ports(self) -> list[Port]:
        return [Port(self.settings.port, "TRAINYARD_PORT")]

    def command(self) -> Command:
        # it makes the trainers' environments: uv must work there as it did in the bootstrap
        env = uv_environment() | base_environment(self.settings)
        env["PATH"] = os.pathsep.join(filter(None, (env.get("PATH"), str(uv_folder()))))
        # -P: the folder it is started in holds data, nothing to import
        return Command([sys.executable, "-P", "-m", "trainyard.api"], env, self.settings.data_dir)

    def answers(self) -> bool:
        return http_status(f"{self.url}/v1/health/ready") == 200
