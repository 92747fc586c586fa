"""Users, sessions, tokens, links and members in the database, on SQLite and on PostgreSQL."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from trainyard.db.engine import Database
from trainyard.db.migrate import upgrade
from trainyard.db.tables import api_tokens, login_links, members, projects, sessions, users
from trainyard.errors import Conflict, InvalidInput, NotFound, Unauthorized, WrongCredentials
from trainyard.identity import tokens
from trainyard.identity import users as people
from trainyard.identity.rights import Principal, Role
from trainyard.identity.service import Identity

ADMIN_TOKEN = "an-installation's-own-token"
ODD = ["ki\0m", "'; DROP TABLE users; --", "%", "한글", "x" * 5_000]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    upgrade(database)
    for project in ("lab", "zoo"):
        row = {"id": project, "name": project, "created_at": 0}
        database.write(lambda conn, row=row: conn.execute(projects.insert().values(**row)))
    yield database
    database.close()


@pytest.fixture
def identity(database: Database) -> Iterator[Identity]:
    database.write(people.ensure_built_in)
    identity = Identity(database, ADMIN_TOKEN)
    yield identity
    identity.close()


def admin(identity: Identity) -> Principal:
    return identity.by_token(ADMIN_TOKEN)


def kim(identity: Identity, password: str | None = None) -> Principal:
    """By a session of hers."""
    asyncio.run(identity.add_user("kim", password, False))
    code, _ = identity.make_link(admin(identity), "kim")
    return identity.by_session(identity.by_link(code))


def count(database: Database, table: sa.Table) -> int:
    with database.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_the_built_in_administrator_is_made_once(database: Database, identity: Identity) -> None:
    for _ in range(3):
        database.write(people.ensure_built_in)
    assert count(database, users) == 1
    with pytest.raises(Conflict):
        asyncio.run(identity.add_user("admin", None, False))


def test_roles_follow_their_rows_at_once(identity: Identity) -> None:
    who = kim(identity)
    cookie = identity.by_link(identity.make_link(admin(identity), "kim")[0])
    assert who.projects == frozenset()
    since = identity.put_member("lab", "kim", Role.VIEWER).since
    assert dict(identity.by_session(cookie).roles) == {"lab": Role.VIEWER}
    assert identity.put_member("lab", "KIM", Role.ADMIN).since == since
    assert dict(identity.by_session(cookie).roles) == {"lab": Role.ADMIN}
    assert [(one.name, one.role) for one in identity.members_of("lab")] == [("kim", Role.ADMIN)]
    identity.remove_member("lab", "kim")
    assert dict(identity.by_session(cookie).roles) == {}
    for wrong in (("lab", "kim"), ("none", "kim"), ("lab", "nobody")):
        with pytest.raises(NotFound):
            identity.remove_member(*wrong)
    with pytest.raises(NotFound):
        identity.put_member("none", "kim", Role.VIEWER)


def test_open_streams_are_told_of_every_change_of_rights(identity: Identity) -> None:
    who = kim(identity)
    made, _ = identity.add_token(who, "x", None, None, None)
    steps = [
        lambda: identity.put_member("lab", "kim", Role.VIEWER),
        lambda: identity.remove_member("lab", "kim"),
        lambda: identity.revoke_token(who, made.id),
        lambda: asyncio.run(
            identity.change_user(admin(identity), who.user_id, disabled=None, password=None, administrator=True)
        ),
        lambda: identity.sign_out(who),
    ]
    for step in steps:
        before = identity.changes
        step()
        assert identity.changes > before


def test_of_many_who_use_a_link_at_once_one_gets_in(database: Database, identity: Identity) -> None:
    code, _ = identity.make_link(admin(identity), None)
    got: list[str] = []

    def use() -> None:
        try:
            got.append(identity.by_link(code))
        except WrongCredentials:
            got.append("")

    threads = [threading.Thread(target=use) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(bool(cookie) for cookie in got) == 1
    assert (count(database, sessions), count(database, login_links)) == (1, 0)


def test_tokens_of_somebody_disabled_count_again_when_that_is_undone(identity: Identity) -> None:
    who = kim(identity)
    identity.put_member("lab", "kim", Role.MEMBER)
    _, text = identity.add_token(who, "x", None, None, 30)
    nothing = {"password": None, "administrator": None}
    assert identity.by_token(text).may(Role.MEMBER, "lab")
    asyncio.run(identity.change_user(admin(identity), who.user_id, disabled=True, **nothing))
    with pytest.raises(Unauthorized):
        identity.by_token(text)
    asyncio.run(identity.change_user(admin(identity), who.user_id, disabled=False, **nothing))
    assert identity.by_token(text).name == "kim"


def test_there_is_an_end_to_tokens(database: Database, identity: Identity) -> None:
    who = kim(identity)
    for number in range(tokens.MOST):
        identity.add_token(who, str(number), "lab" if number == -1 else None, Role.VIEWER, None)
    with pytest.raises(Conflict, match="100 tokens"):
        identity.add_token(who, "one more", None, None, None)
    assert count(database, api_tokens) == tokens.MOST
    with pytest.raises(NotFound):  # an administrator's, for a project that isn't there
        identity.add_token(admin(identity), "x", "none", None, None)


def test_expired_rows_are_cleared_away(database: Database, identity: Identity) -> None:
    kim(identity)
    identity.make_link(admin(identity), "kim")
    database.write(lambda conn: conn.execute(sessions.update().values(seen_at=0)))
    database.write(lambda conn: conn.execute(login_links.update().values(expires_at=0)))
    code, _ = identity.make_link(admin(identity), "kim")
    identity.by_link(code)
    assert (count(database, sessions), count(database, login_links)) == (1, 0)


@pytest.mark.parametrize("odd", ODD)
def test_what_people_type_and_send_is_only_looked_up(database: Database, identity: Identity, odd: str) -> None:
    with pytest.raises(WrongCredentials):
        asyncio.run(identity.sign_in(odd, "x" * 12, "10.0.0.1"))
    for work in (
        lambda: identity.by_token(odd),
        lambda: identity.by_token("ty_" + odd),
        lambda: identity.by_session(odd),
    ):
        with pytest.raises(Unauthorized):
            work()
    with pytest.raises(WrongCredentials):
        identity.by_link(odd)
    with pytest.raises(NotFound):
        identity.put_member("lab", odd, Role.VIEWER)
    with pytest.raises(NotFound):
        identity.revoke_token(admin(identity), odd)
    assert count(database, users) == 1
    assert count(database, members) == 0


def test_a_password_over_its_bytes_is_refused_before_anything_is_kept(database: Database, identity: Identity) -> None:
    with pytest.raises(InvalidInput):
        asyncio.run(identity.add_user("kim", "한" * 67, False))
    assert count(database, users) == 1
    asyncio.run(identity.add_user("kim", "한" * 66, False))
    assert identity.by_session(asyncio.run(identity.sign_in("kim", "한" * 66, ""))).name == "kim"
