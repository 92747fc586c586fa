"""Why a container's image could not be had. Pure."""

import re

from trainyard.contract.vocabulary import Reason
from trainyard.executors.kubernetes.finding import AT_ONCE, LATER, SOON, Diagnosis

WAITING = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
# (signs in the runtime's words, what happened, what to do, how long it may mend by itself); the first that fits
_PULLS = (
    (
        r"no match for platform|no matching manifest for|exec format",
        "The image {image} was not built for the node's kind of processor.",
        "Build it for that platform (`docker build --platform`), or choose other nodes.",
        AT_ONCE,
    ),
    (
        r"toomanyrequests|429 Too Many|rate limit",
        "The registry gives this cluster no more images for now: its limit for pulls without an account is reached.",
        "Wait, or give the namespace a pull secret for that registry.",
        LATER,
    ),
    (
        r"pull access denied|insufficient_scope|may require authorization",
        "The image {image} does not exist, or may be pulled only with a login that the cluster does not have.",
        "Check its name; if it is private, give the namespace's service account an imagePullSecret for the registry.",
        AT_ONCE,
    ),
    (
        r"unauthorized|authentication required|\b401\b|\b403\b|denied|no basic auth|forbidden",
        "The registry does not let the cluster pull the image {image}.",
        "Give the namespace's service account an imagePullSecret for that registry.",
        AT_ONCE,
    ),
    (
        r"no space left",
        "The node has no disk space left for the image {image}.",
        "Free disk space on the node; a smaller image needs less.",
        LATER,
    ),
    (
        r"no such host|i/o timeout|connection refused|TLS handshake|deadline exceeded|dial tcp|x509|connection reset"
        r"|network is unreachable|server gave HTTP response|\bEOF\b",
        "The registry of the image {image} could not be reached from the node.",
        "Check the registry's name and the node's way to it; an image that was loaded onto the node needs no registry.",
        LATER,
    ),
    (
        r"not found|manifest unknown|NAME_UNKNOWN|name unknown|\b404\b|NotFound|does not exist",
        "The image {image} does not exist in its registry.",
        "Check its name and tag, or build and push it first.",
        AT_ONCE,
    ),
)


def of_waiting(reason: str, message: str, image: str, pulled: str, node: str) -> Diagnosis:
    """`pulled`: what the newest event says of the pull; the status often says no more than that it waits."""
    said = message if _says_more(message) else pulled or message
    line = f"{reason}: {said}" if said else f"{reason}: {image}"
    if reason == "InvalidImageName":
        what = f"{image!r} is no name of an image."
        return Diagnosis(Reason.IMAGE_PULL, what, "Correct it: registry/name:tag, in small letters.", [line])
    if reason == "ErrImageNeverPull":
        what = f"The image {image} is not on the node{f' {node}' if node else ''}, and the pod may not pull it."
        hint = f"Load it (`kind load docker-image {image}` for kind), or allow pulling."
        return Diagnosis(Reason.IMAGE_PULL, what, hint, [line], SOON)
    if reason == "SignatureValidationFailed":
        what = f"The signature of the image {image} is not accepted on the node."
        return Diagnosis(Reason.IMAGE_PULL, what, "Sign it as the cluster's policy wants, or take one that is.", [line])
    for signs, what, hint, patience in _PULLS:
        if re.search(signs, said, re.IGNORECASE):
            return Diagnosis(Reason.IMAGE_PULL, what.format(image=image), hint, [line], patience)
    hint = "The line says what the node's runtime answered; `kubectl describe pod` shows the rest."
    return Diagnosis(Reason.IMAGE_PULL, f"The image {image} could not be pulled.", hint, [line], LATER)


def _says_more(message: str) -> bool:
    """Newer kubelets repeat the cause beside `Back-off pulling image`; older ones don't."""
    return bool(message) and re.fullmatch(r'Back-off pulling image "[^"]*"\.?', message.strip()) is None
