"""A backend's own bucket, looked at past the backend."""

from tests.real.backend import Backend
from trainyard.settings import load_settings
from trainyard.storage.store import Store


def store_of(backend: Backend) -> Store:
    given = {name.removeprefix("TRAINYARD_").lower(): value for name, value in backend.env.items() if "_S3_" in name}
    return Store.from_settings(load_settings(_env_file=None, data_dir=backend.folder / "data", **given))
