"""What the backend needs of MLflow: whether it answers. Trainers do the rest themselves."""

import httpx2

HEALTH_SECONDS = 2.0


def healthy(url: str) -> bool:
    """Whether the tracking server answers, within two seconds."""
    try:
        # not through a proxy: the server is on this machine or in its network
        with httpx2.Client(timeout=HEALTH_SECONDS, trust_env=False) as client:
            return client.get(f"{url}/health").status_code == 200
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return False
