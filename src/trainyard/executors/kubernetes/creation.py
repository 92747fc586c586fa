"""Why the cluster refuses to make a Job or its pod: quota, admission, permission, what is missing. Pure."""

import re

from trainyard.contract.vocabulary import Reason
from trainyard.executors.kubernetes.finding import AT_ONCE, NEVER, SOON, Diagnosis

_PERMISSION = re.compile(
    r'cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)"(?: in API group "[^"]*")?'
    r'(?: in the namespace "(?P<space>[^"]+)")?'
)
_QUOTA = re.compile(
    r"exceeded quota: (?P<name>[^,]+), requested: (?P<asked>.+?), used: (?P<used>.+?), limited: (?P<limit>.+)"
)
_QUOTA_WANTS = re.compile(r"failed quota: (?P<name>[^:]+): must specify (?P<what>.+)")
_SECURITY = re.compile(r'violates PodSecurity "(?P<level>[^"]+)": (?P<why>.+)', re.DOTALL)
_RANGE = re.compile(
    r"(?P<which>maximum|minimum) (?P<what>\S+) usage per (?P<per>\w+) is (?P<bound>[^,\s]+)[^,]*, but (?P<but>.+?)\.?$"
)
_WEBHOOK = re.compile(r'admission webhook "(?P<name>[^"]+)" denied the request: ?(?P<why>.*)', re.DOTALL)
_ACCOUNT = re.compile(r'service ?account "(?P<name>[^"]+)" not found')
_PRIORITY = re.compile(r"no PriorityClass with name (?P<name>\S+) was found")
_NAMESPACE = re.compile(r'namespaces? "?(?P<name>[^"\s]+)"? not found')


def refused(message: str) -> Diagnosis:
    """The API server's or the Job controller's own words (an event FailedCreate, or the answer to a request)."""
    said = message.strip()
    for look in (_by_quota, _by_policy, _by_what_is_missing):
        found = look(said)
        if found is not None:
            return found
    what = (
        f"The cluster refuses its pod: {said[:500]}." if said else "The cluster refuses its pod, and gives no reason."
    )
    return Diagnosis(Reason.LAUNCH_FAILED, what, "Correct what the line names, then try again.", [said], SOON)


def _by_quota(said: str) -> Diagnosis | None:
    if match := _QUOTA.search(said):
        return Diagnosis(
            Reason.UNSCHEDULABLE,
            f"The namespace's quota {match['name']} is used up: it asks for {match['asked']}; {match['used']} of "
            f"{match['limit'].rstrip('.')} are in use.",
            "It starts once others have ended. Ask for less, or have the quota raised.",
            [said],
            NEVER,
        )
    if match := _QUOTA_WANTS.search(said):
        return Diagnosis(
            Reason.LAUNCH_FAILED,
            f"The namespace's quota {match['name']} wants every pod to say {match['what'].rstrip('.')}.",
            "Give the training CPU and memory, as requests and limits.",
            [said],
        )
    if match := _RANGE.search(said):
        return Diagnosis(
            Reason.LAUNCH_FAILED,
            f"The namespace allows each {match['per'].lower()} a {match['which']} {match['what']} of {match['bound']}, "
            f"but {match['but']}.",
            "Ask for what the namespace's LimitRange allows.",
            [said],
        )
    return None


def _by_policy(said: str) -> Diagnosis | None:
    if match := _SECURITY.search(said):
        level = match["level"].partition(":")[0]
        return Diagnosis(
            Reason.LAUNCH_FAILED,
            f"The namespace's pod security level {level} refuses the pod: {match['why'].rstrip('.')[:400]}.",
            "Take a namespace that allows it, or leave out what the line names.",
            [said],
        )
    if match := _WEBHOOK.search(said):
        return Diagnosis(
            Reason.LAUNCH_FAILED,
            f"The cluster's admission webhook {match['name']} refuses it: {match['why'].strip().rstrip('.')[:400]}.",
            "That is a rule of this cluster: do as it says, or ask who runs the cluster.",
            [said],
        )
    if match := _PERMISSION.search(said):
        where = f" in the namespace {match['space']}" if match["space"] else ""
        return Diagnosis(
            Reason.LAUNCH_FAILED,
            f"The cluster does not let trainyard {match['verb']} {match['resource']}{where}.",
            f"Give its account the verb {match['verb']} on {match['resource']}: a Role and a RoleBinding do.",
            [said],
        )
    return None


def _by_what_is_missing(said: str) -> Diagnosis | None:
    if match := _ACCOUNT.search(said):
        what, hint = f"The service account {match['name']} does not exist in the namespace.", "Make it, then try again."
        return Diagnosis(Reason.LAUNCH_FAILED, what, hint, [said], SOON)
    if match := _PRIORITY.search(said):
        what, hint = f"The cluster has no priority class {match['name']}.", "Make it, or choose one there is."
        return Diagnosis(Reason.LAUNCH_FAILED, what, hint, [said], AT_ONCE)
    if "being terminated" in said:
        what, hint = "The namespace is being deleted: nothing starts in it any more.", "Choose another namespace."
        return Diagnosis(Reason.LAUNCH_FAILED, what, hint, [said], AT_ONCE)
    if match := _NAMESPACE.search(said):
        what = f"The cluster has no namespace {match['name']}."
        hint = f"`kubectl create namespace {match['name']}` makes it; or name another one in the settings."
        return Diagnosis(Reason.LAUNCH_FAILED, what, hint, [said], AT_ONCE)
    return None
