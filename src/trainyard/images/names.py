"""Images' names: what is before the tag, the tag of one state of the code, and whether a name leads to a registry."""

from trainyard.contract.resources import check_image, is_pinned
from trainyard.errors import InvalidInput
from trainyard.settings import Settings


def wanted_name(settings: Settings, framework: str, tag: str | None) -> str:
    """The image's full name with its tag; the setting's where none is given. Raises InvalidInput."""
    field = "--tag" if tag else "TRAINYARD_K8S_IMAGE"
    try:
        name = check_image(tag or settings.k8s_image.replace("{framework}", framework))
    except ValueError as error:
        raise InvalidInput(f"{error}.", field=field) from None
    if is_pinned(name):
        raise InvalidInput(f"{name} names one finished image.", hint="Build to a name and a tag.", field=field)
    return with_tag(name)


def with_tag(image: str) -> str:
    """Each builder and Kubernetes read a name without a tag so."""
    return image if is_pinned(image) or repository(image) != image else f"{image}:latest"


def repository(image: str) -> str:
    """A name without its tag; the colon of a registry's port is none."""
    name = image.partition("@")[0]
    before, slash, last = name.rpartition("/")
    return f"{before}{slash}{last.partition(':')[0]}"


def of_code(image: str, code_hash: str) -> str:
    """The name that only one state of the code ever gets: containerd finds no image from an archive by a digest."""
    return f"{repository(image)}:code-{code_hash[:12]}"


def registry(image: str) -> str:
    """Where a name leads: its first part, if that is a host's name; without one, Docker's hub."""
    host, slash, _ = image.partition("/")
    return host if slash and (host == "localhost" or set(".:") & set(host)) else "docker.io"


def check_registry(image: str) -> None:
    """Raises InvalidInput for a name that no cluster could pull."""
    if registry(image) == "localhost":
        raise InvalidInput(
            f"{image} names no registry: localhost/ stands for images that are nowhere else.",
            hint="Name one: --tag ghcr.io/OWNER/trainer-sklearn:1, or set TRAINYARD_K8S_IMAGE.",
            field="--tag",
        )
