"""What people see of projects: theirs, in lists, streams and files, and nothing of others."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from tests.conftest import backends
from tests.real.backend import Backend, wait_for
from tests.real.people import Person, signed_in, with_token
from tests.real.s3server import S3Server


@pytest.fixture(scope="module")
def yard(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Two projects, `lab` and `zoo`, with a dataset and an ended job each."""
    with backends(s3_server, tmp_path_factory.mktemp("yard")) as make:
        backend = make().start()
        for project in ("lab", "zoo"):
            backend.ask("POST", "/v1/projects", json={"id": project, "name": project})
        backend.ask("POST", "/v1/samples/cats-dogs-classes", params={"project_id": "lab"})
        content = backend.http.get("/v1/datasets/cats-dogs-classes/file").content
        params = {"project_id": "zoo", "dataset_id": "animals"}
        sent = backend.http.post(
            "/v1/datasets", params=params, content=content, headers={"Content-Type": "application/zip"}
        )
        assert sent.is_success, sent.text
        yield backend


@pytest.fixture(scope="module")
def jobs(yard: Backend) -> dict[str, str]:
    """One by project."""
    made = {
        "lab": yard.submit(project_id="lab", tags=["of-lab"]),
        "zoo": yard.submit(project_id="zoo", dataset_id="animals", tags=["of-zoo"]),
    }
    for job_id in made.values():
        yard.wait_closed(job_id)
    return made


def names(found: Any) -> set[str]:
    return {one["id"] for one in found["items"]}


@pytest.mark.parametrize("how", ["session", "token"])
def test_lists_show_the_callers_projects_only(yard: Backend, jobs: dict[str, str], how: str) -> None:
    kim = signed_in(yard, "kim", lab="viewer")
    who = kim if how == "session" else with_token(yard, kim)
    assert names(who.ask("GET", "/v1/projects")) == {"lab"}
    assert names(who.ask("GET", "/v1/datasets")) == {"cats-dogs-classes"}
    assert names(who.ask("GET", "/v1/datasets?project_id=zoo")) == set()
    assert jobs["lab"] in names(who.ask("GET", "/v1/jobs"))
    assert {job["project_id"] for job in who.ask("GET", "/v1/jobs")["items"]} == {"lab"}
    for wanted in ("project_id=zoo", "dataset_id=animals", f"search={jobs['zoo']}", "tag=of-zoo"):
        assert who.ask("GET", f"/v1/jobs?{wanted}") == {"items": [], "next": None, "total": 0}
    facets = json.dumps(who.ask("GET", "/v1/jobs/facets")) + json.dumps(
        who.ask("GET", "/v1/jobs/facets?project_id=zoo")
    )
    assert "of-lab" in facets
    assert "of-zoo" not in facets and "animals" not in facets
    exported = who.call("GET", "/v1/jobs/export").text
    assert jobs["lab"] in exported
    assert jobs["zoo"] not in exported
    assert sum(who.ask("GET", "/v1/status")["jobs"].values()) == who.ask("GET", "/v1/jobs")["total"]
    assert names(yard.ask("GET", "/v1/projects")) == {"default", "lab", "zoo"}


def test_whoever_is_in_no_project_sees_empty_lists(yard: Backend, jobs: dict[str, str]) -> None:
    assert jobs
    new = signed_in(yard, "newcomer")
    for path in ("/v1/projects", "/v1/datasets", "/v1/jobs"):
        assert new.ask("GET", path)["items"] == []


def test_addresses_inside_are_for_administrators(yard: Backend) -> None:
    kim, root = signed_in(yard, "kim", lab="viewer"), signed_in(yard, "root", administrator=True)
    seen, all_of_it = kim.ask("GET", "/v1/status"), root.ask("GET", "/v1/status")
    assert all_of_it["s3_url"] and all_of_it["mlflow_url"] and all_of_it["backend_url"]
    for url in (all_of_it["s3_url"], all_of_it["mlflow_url"], all_of_it["backend_url"]):
        assert url not in json.dumps(seen)
    assert {name: seen[name] for name in ("slots", "gpus", "version")} == {
        name: all_of_it[name] for name in ("slots", "gpus", "version")
    }


def test_many_are_cancelled_only_where_the_caller_may(yard: Backend) -> None:
    running = {
        "lab": yard.submit(project_id="lab", epochs=10_000),
        "zoo": yard.submit(project_id="zoo", dataset_id="animals", epochs=10_000),
    }
    kim = signed_in(yard, "canceller", lab="member")
    viewer = signed_in(yard, "viewer", lab="viewer")
    body = {"ids": [*running.values(), "job-none"]}
    refused = viewer.ask("POST", "/v1/jobs/cancel", json=body)["items"]
    assert [one["ok"] for one in refused] == [False, False, False]
    assert "role member" in refused[0]["message"]
    assert "or it is not in a project of yours" in refused[1]["message"]
    done = kim.ask("POST", "/v1/jobs/cancel", json=body)["items"]
    assert [one["ok"] for one in done] == [True, False, False]
    assert yard.wait_end(running["lab"])["state"] == "CANCELLED"
    assert yard.job(running["zoo"])["cancelling"] is False
    asked = [event for event in yard.events(running["lab"]) if event["type"] == "cancel_requested"]
    assert [event["data"].get("by") for event in asked] == ["canceller"] or not asked
    yard.ask("POST", f"/v1/jobs/{running['zoo']}/cancel")
    yard.wait_end(running["zoo"])


def test_jobs_say_who_made_them(yard: Backend, jobs: dict[str, str]) -> None:
    kim = signed_in(yard, "maker", lab="member")
    body = {"framework": "probe", "project_id": "lab", "dataset_id": "cats-dogs-classes", "params": {"epochs": 1}}
    made = kim.ask("POST", "/v1/jobs", json=body)
    assert made["created_by"] == "maker"
    again = with_token(yard, kim).ask("POST", f"/v1/jobs/{jobs['lab']}/retry")
    assert again["created_by"] == "maker"
    assert yard.job(jobs["lab"])["created_by"] == "admin"
    first = yard.events(made["id"])[0]
    assert (first["type"], first["data"]["by"]) == ("state", "maker")
    kim.ask("PATCH", f"/v1/jobs/{made['id']}", json={"name": "renamed"})
    changed = next(event for event in yard.events(made["id"]) if event["type"] == "changed")
    assert changed["data"] == {"name": "renamed", "by": "maker"}
    for job in (made, again):
        yard.wait_closed(job["id"])


def test_what_runs_any_path_of_this_machine_is_for_administrators(yard: Backend, jobs: dict[str, str]) -> None:
    kim, root = signed_in(yard, "member", lab="admin"), signed_in(yard, "root", administrator=True)
    base = {"framework": "probe", "project_id": "lab", "dataset_id": "cats-dogs-classes"}
    for more in ({"attached": True}, {"attached": True, "script": "/etc/passwd"}, {"script": "/etc/passwd"}):
        refused = kim.call("POST", "/v1/jobs", json=base | more)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
    assert kim.refused("POST", f"/v1/jobs/{jobs['lab']}/attach") == 403
    attached = root.ask("POST", "/v1/jobs", json=base | {"attached": True})
    assert kim.refused("POST", f"/v1/jobs/{attached['id']}/attach") == 403
    kim.ask("POST", f"/v1/jobs/{attached['id']}/cancel")  # stopping it is a member's


def test_a_dataset_of_another_project_trains_nothing(yard: Backend) -> None:
    kim = signed_in(yard, "borrower", lab="admin")
    body = {"framework": "probe", "project_id": "lab", "dataset_id": "animals"}
    refused = kim.call("POST", "/v1/jobs", json=body)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "dataset_id")


def test_code_is_seen_by_whoever_sees_a_job_that_ran_it(yard: Backend, jobs: dict[str, str]) -> None:
    code = yard.ask("GET", f"/v1/jobs/{jobs['lab']}/surroundings")["code_hash"]
    assert code
    inside, outside = signed_in(yard, "kim", lab="viewer"), signed_in(yard, "outsider", zoo="admin")

    def foreign(person: Person, query: str) -> bool:
        answer = person.call("GET", f"/v1/code/{code}{query}")
        return answer.status_code == 404 and "no job of yours" in answer.json()["error"]["message"]

    assert not foreign(inside, f"?job_id={jobs['lab']}")
    assert foreign(inside, f"?job_id={jobs['zoo']}")
    assert foreign(outside, f"?job_id={jobs['lab']}")
    assert foreign(outside, "")


# -- streams ----------------------------------------------------------------------------------------------------------


@dataclass
class Listener:
    """Reads a stream in a thread until it ends."""

    person: Person
    url: str
    path: str = "/v1/events"
    ready: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    lines: list[str] = field(default_factory=list[str])

    def start(self) -> "Listener":
        threading.Thread(target=self._listen, daemon=True).start()
        assert self.ready.wait(90)
        return self

    def _listen(self) -> None:
        with (
            suppress(httpx2.TransportError),
            httpx2.stream("GET", self.url + self.path, headers=self.person.headers, timeout=60) as answer,
        ):
            for line in answer.iter_lines():
                self.ready.set()
                self.lines.append(line)
        self.ended.set()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line[6:]) for line in list(self.lines) if line.startswith("data: ")]

    def heard(self, job_id: str) -> bool:
        return any(event["job_id"] == job_id for event in self.events())


def test_a_stream_tells_of_the_callers_projects_only(yard: Backend, jobs: dict[str, str]) -> None:
    kim = signed_in(yard, "listener", lab="viewer")
    live = Listener(kim, yard.url, "/v1/events?after=0").start()
    narrow = Listener(kim, yard.url, "/v1/events?after=0&project_id=zoo").start()
    one = Listener(kim, yard.url, f"/v1/events?after=0&job_id={jobs['zoo']}").start()
    zoo = yard.submit(project_id="zoo", dataset_id="animals", epochs=1)
    yard.wait_closed(zoo)
    lab = yard.submit(project_id="lab", epochs=1)
    wait_for("the event in one's own project", lambda: live.heard(lab))
    assert live.heard(jobs["lab"])  # from the log, before it went live
    assert {event["project_id"] for event in live.events()} == {"lab"}
    assert narrow.events() == [] and one.events() == []
    yard.wait_closed(lab)


def lose_membership(yard: Backend, kim: Person) -> None:
    yard.ask("DELETE", f"/v1/projects/lab/members/{kim.name}")


def lose_session(_yard: Backend, kim: Person) -> None:
    kim.ask("POST", "/v1/auth/sign-out")


def be_disabled(yard: Backend, kim: Person) -> None:
    yard.ask("PATCH", f"/v1/users/{kim.user_id}", json={"disabled": True})


@pytest.mark.parametrize("lose", [lose_membership, lose_session, be_disabled])
def test_what_is_taken_away_ends_open_streams(yard: Backend, lose: Callable[[Backend, Person], None]) -> None:
    kim = signed_in(yard, f"l-{lose.__name__.replace('_', '-')}", lab="viewer")
    before = yard.submit(project_id="lab", epochs=10_000, epoch_seconds=0.2)
    yard.wait_state(before, "RUNNING")
    events = Listener(kim, yard.url).start()
    log = Listener(kim, yard.url, f"/v1/jobs/{before}/log/stream").start()
    wait_for("a first event", lambda: events.heard(before))
    lose(yard, kim)
    after = yard.submit(project_id="lab", epochs=1)
    assert events.ended.wait(90)
    assert not events.heard(after)
    assert log.ended.wait(90)
    assert yard.job(before)["finished_at"] is None  # it was not its end that ended its log's stream
    yard.ask("POST", f"/v1/jobs/{before}/cancel")
    for job_id in (before, after):
        yard.wait_end(job_id)


def test_a_new_membership_is_heard_of_after_the_stream_was_taken_up_again(yard: Backend) -> None:
    kim = signed_in(yard, "promoted")
    first = Listener(kim, yard.url).start()
    last = int(
        yard.ask("GET", f"/v1/jobs/{yard.submit(project_id='zoo', dataset_id='animals')}/events")["items"][-1]["id"]
    )
    yard.ask("PUT", "/v1/projects/zoo/members/promoted", json={"role": "viewer"})
    assert first.ended.wait(90)  # at its next sign of life: every 15 s where there is nothing to tell
    assert first.events() == []
    second = Listener(kim, yard.url, f"/v1/events?after={last - 1}").start()
    wait_for("the event that it missed", lambda: second.events())
