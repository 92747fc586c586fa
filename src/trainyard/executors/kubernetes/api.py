"""The cluster's API server over plain HTTP with plain data: what is sent is what was built, what comes is what it said.

lightkube reads kubeconfigs and signs in (certificates, tokens, exec plugins); nothing else of it is used.
"""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import httpx2
import yaml
from lightkube.config.client_adapter import ConnectionParams
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.core.exceptions import ConfigError

from trainyard.errors import NotAvailable, TrainyardError, Unavailable
from trainyard.executors.kubernetes.names import MANAGED_BY
from trainyard.settings import Settings

Object = dict[str, Any]
Kind = Literal["Job", "Pod", "Event", "Secret", "ConfigMap", "Service"]
_GROUPS = {"Job": "apis/batch/v1"}
_HINT = "TRAINYARD_KUBECONFIG (or KUBECONFIG) names the cluster's file, TRAINYARD_K8S_CONTEXT one of its contexts."
_TRANSIENT = (429, 500, 502, 503, 504)
CALL_SECONDS = 10.0


class ClusterAway(Unavailable):
    """The API server could not be reached, or says that it can't answer now. Trying again is right."""

    code = "cluster_away"


class Refused(TrainyardError):
    """The API server's no, in its own words. `status` is its HTTP status."""

    code = "refused_by_cluster"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """For any thread. Every call blocks for at most CALL_SECONDS, streams apart."""

    def __init__(self, config: SingleConfig, namespace: str) -> None:
        self.namespace = namespace
        self.server = str(config.cluster.server)
        calm = ConnectionParams(timeout=httpx2.Timeout(CALL_SECONDS))
        signed_in = cast(dict[str, Any], calm.httpx_params(config))
        # each log that is followed holds a connection of its own
        self._http = httpx2.Client(**signed_in, limits=httpx2.Limits(max_connections=None))

    @classmethod
    def connect(cls, settings: Settings) -> "Api":
        """Reads the kubeconfig; asks nobody yet. Raises NotAvailable where there is none, or it can't be used."""
        config = _config(settings)
        try:
            return cls(config, settings.k8s_namespace)
        except (ConfigError, OSError, ValueError, AssertionError, httpx2.InvalidURL) as error:
            raise NotAvailable(f"The cluster's credentials can't be used: {error}.", hint=_HINT) from None

    def close(self) -> None:
        self._http.close()

    def nodes(self) -> list[Object]:
        """Raises Refused where the account may only see its namespace."""
        return list(self._ask("GET", "api/v1/nodes", {})["items"])

    def pod_metrics(self) -> Object:
        """What our pods use. Raises Refused with status 404 where there is no metrics-server."""
        query = {"labelSelector": ",".join(f"{name}={value}" for name, value in MANAGED_BY.items())}
        return self._ask("GET", f"apis/metrics.k8s.io/v1beta1/namespaces/{self.namespace}/pods", query)

    def list(self, kind: Kind, **query: str) -> Object:
        return self._ask("GET", self._path(kind), query)

    def get(self, kind: Kind, name: str) -> Object:
        return self._ask("GET", f"{self._path(kind)}/{name}", {})

    def create(self, built: Object) -> Object:
        """Raises Refused with status 409 where one of that name is there."""
        return self._ask("POST", self._path(built["kind"]), {}, built)

    def patch(self, kind: Kind, name: str, change: Object) -> Object:
        head = {"Content-Type": "application/merge-patch+json"}
        return self._ask("PATCH", f"{self._path(kind)}/{name}", {}, change, head)

    def delete(self, kind: Kind, name: str) -> bool:
        """With all that it owns, in the background; False where it is not there (any more)."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        try:
            self._ask("DELETE", f"{self._path(kind)}/{name}", {}, options)
        except Refused as refused:
            if refused.status != 404:
                raise
            return False
        return True

    def may(self, verb: str, kind: Kind, subresource: str = "") -> bool:
        """Whether our account is allowed to."""
        group = "batch" if kind == "Job" else ""
        asked = {"namespace": self.namespace, "verb": verb, "group": group, "resource": f"{kind.lower()}s"}
        asked |= {"subresource": subresource} if subresource else {}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        told = self._ask("POST", "apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {}, review)
        return bool(told["status"]["allowed"])

    @contextmanager
    def watch(self, kind: Kind, query: dict[str, str], silence: float) -> Generator[Iterator[Object]]:
        """The changes from a resourceVersion on, as they come. Raises ClusterAway after `silence` without a byte."""
        with self._stream(self._path(kind), query | {"watch": "1"}, silence) as response:
            yield (json.loads(line) for line in response.iter_lines() if line)

    @contextmanager
    def log(self, pod: str, query: dict[str, str], silence: float | None) -> Generator[Iterator[bytes]]:
        """A pod's log in pieces as they come, cut anywhere. Raises Refused (404: the pod is gone), ClusterAway."""
        with self._stream(f"{self._path('Pod')}/{pod}/log", query, silence) as response:
            yield response.iter_bytes()

    # -- how ---------------------------------------------------------------------------------------------------------

    def _path(self, kind: str) -> str:
        return f"{_GROUPS.get(kind, 'api/v1')}/namespaces/{self.namespace}/{kind.lower()}s"

    def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: Object | None = None,
        head: dict[str, str] | None = None,
    ) -> Object:
        try:
            answer = self._http.request(method, f"/{path}", params=query, json=body, headers=head)
        except (httpx2.HTTPError, OSError, ConfigError, RuntimeError) as error:
            raise self._away(error) from None
        _check(answer)
        return dict(answer.json())

    @contextmanager
    def _stream(self, path: str, query: dict[str, str], silence: float | None) -> Generator[httpx2.Response]:
        patience = httpx2.Timeout(CALL_SECONDS, read=silence)
        try:
            with self._http.stream("GET", f"/{path}", params=query, timeout=patience) as response:
                if response.is_error:
                    response.read()
                    _check(response)
                yield response
        except (httpx2.HTTPError, OSError, ConfigError, RuntimeError) as error:
            raise self._away(error) from None

    def _away(self, error: Exception) -> ClusterAway:
        """Also for a sign-in that failed (its program or token file may come back) and for a client that was closed:
        this backend is about to end, and the next one goes on."""
        if isinstance(error, RuntimeError) and not self._http.is_closed:
            raise error
        if isinstance(error, ConfigError):
            return ClusterAway(f"Signing in to the cluster at {self.server} failed: {error}.")
        return ClusterAway(f"The cluster at {self.server} does not answer: {str(error) or type(error).__name__}.")


def _check(answer: httpx2.Response) -> None:
    if not answer.is_error:
        return
    try:
        message = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        message = answer.text[:500] or answer.reason_phrase
    if answer.status_code in _TRANSIENT:
        raise ClusterAway(f"The cluster can't answer now ({answer.status_code}): {message}")
    if answer.status_code == 401:
        message = f"the cluster does not know our account (401): {message}"
    raise Refused(answer.status_code, message)


def _config(settings: Settings) -> SingleConfig:
    context = settings.k8s_context or None
    try:
        if settings.kubeconfig is not None:
            return _chosen(KubeConfig.from_file(settings.kubeconfig), context)
        config = _chosen(KubeConfig.from_env(), context)
    except ConfigError as error:
        raise NotAvailable(f"There is no cluster to send it to: {error}.", hint=_HINT) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        where = settings.kubeconfig or "the kubeconfig"
        raise NotAvailable(f"{Path(str(where)).name} can't be read: {error}.", hint=_HINT) from None
    return config


def _chosen(config: KubeConfig, context: str | None) -> SingleConfig:
    chosen = config.get(context)
    if chosen is None:
        raise ConfigError("the kubeconfig has no current context")
    return chosen
