"""Signing in, and telling from a credential who its bearer is. Knows no HTTP."""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import sqlalchemy as sa

from trainyard.db.engine import Database
from trainyard.errors import Forbidden, InvalidInput, Unauthorized, Unavailable, WrongCredentials
from trainyard.identity import links, members, passwords, sessions, tokens, users
from trainyard.identity.passwords import Passwords
from trainyard.identity.rights import Principal, Role, narrowed
from trainyard.identity.secret import hashed
from trainyard.identity.throttle import Tries
from trainyard.identity.users import UserRow

WRITTEN_SECONDS = 60.0  # of last uses: at most one write a minute each
T = TypeVar("T")


class Identity:
    """`changes` rises whenever somebody's rights may have changed: open streams look again."""

    def __init__(self, database: Database, admin_token: str) -> None:
        self._database = database
        self._admin_token = admin_token.encode()
        self.passwords = Passwords()
        self.tries = Tries()
        self.changes = 0

    def close(self) -> None:
        self.passwords.close()

    # -- who is it: blocking, one look at the database --------------------------------------------------------------

    def by_token(self, text: str) -> Principal:
        """Raises Unauthorized. The installation's own token asks no database, and nothing locks it out."""
        if secrets.compare_digest(text.encode(), self._admin_token):
            return Principal(users.BUILT_IN, users.BUILT_IN, True, everywhere=Role.ADMIN, may_hand_out=True)
        with self._database.read() as conn:
            token = tokens.find(conn, text) if text.startswith(tokens.PREFIX) else None
            whole = self._principal(conn, token.user_id) if token else None
        if token is None or whole is None:
            raise Unauthorized(
                "This token is not valid here.",
                hint="It may be revoked or have expired. The installation's own is in its data: secrets/token.",
            )
        if _is_due(token.last_used_at):
            with suppress(Unavailable):
                self._database.write(lambda conn: tokens.used(conn, token.id))
        return narrowed(replace(whole, credential=token.id), token.project_id, token.role)

    def by_session(self, cookie: str) -> Principal:
        """Raises Unauthorized."""
        with self._database.read() as conn:
            session = sessions.find(conn, hashed(cookie))
            whole = self._principal(conn, session.user_id) if session else None
        if session is None or whole is None:
            raise Unauthorized("This session is over.", hint="Sign in again; `trainyard link` makes a link for it.")
        if _is_due(session.seen_at):
            with suppress(Unavailable):
                self._database.write(lambda conn: self._was_seen(conn, session.hash, whole.user_id))
        return replace(whole, via="session", credential=session.hash, may_hand_out=True)

    def _was_seen(self, conn: sa.Connection, session: str, user_id: str) -> None:
        sessions.seen(conn, session)
        users.change(conn, user_id, seen_at=time.time())

    def _principal(self, conn: sa.Connection, user_id: str) -> Principal | None:
        """None where the user is disabled."""
        row = users.find(conn, user_id=user_id)
        if row is None or row.disabled_at is not None:
            return None
        if row.administrator:
            return Principal(row.id, row.name, True, everywhere=Role.ADMIN)
        return Principal(row.id, row.name, roles=members.roles_of(conn, row.id))

    # -- signing in -------------------------------------------------------------------------------------------------

    async def sign_in(self, name: str, password: str, address: str) -> str:
        """The secret of a new session. Raises WrongCredentials, whatever was wrong, and TooManyTries."""
        self.tries.count(name, address)
        row = await self._read(lambda conn: users.find(conn, name=name))
        allowed = row is not None and row.disabled_at is None
        right = await self.passwords.matches(row.password if row is not None and allowed else None, password)
        if row is None or not right:
            raise WrongCredentials("Name and password do not match.", hint="An administrator can set it anew.")
        self.tries.forgive(name, address)
        return await asyncio.to_thread(self._database.write, lambda conn: self._begin(conn, row, None))

    def by_link(self, code: str) -> str:
        """The secret of a new session, for a code that then is used up. Blocking. Raises WrongCredentials."""

        def use(conn: sa.Connection) -> str | None:
            found = links.use(conn, code)
            row = users.find(conn, user_id=found[0]) if found else None
            if found is None or row is None or row.disabled_at is not None:
                return None
            return self._begin(conn, row, time.time() + links.SECONDS if found[1] else None)

        cookie = self._database.write(use)
        if cookie is None:
            raise WrongCredentials(
                "This link was used already, or is older than 15 minutes.", hint="`trainyard link` makes another."
            )
        return cookie

    def _begin(self, conn: sa.Connection, row: UserRow, password_until: float | None) -> str:
        users.change(conn, row.id, seen_at=time.time())
        return sessions.add(conn, row.id, password_until)

    def sign_out(self, principal: Principal) -> None:
        """Blocking; a token has no session to end."""
        if principal.via == "session":
            self._changing(lambda conn: sessions.end(conn, principal.credential))

    def make_link(self, principal: Principal, name: str | None) -> tuple[str, float]:
        """Code and end of a link for oneself, or, for an administrator, for anybody. Blocking."""

        def make(conn: sa.Connection) -> tuple[str, float]:
            row = users.get(conn, name=name) if name is not None else users.get(conn, user_id=principal.user_id)
            if row.disabled_at is not None:
                raise InvalidInput(f"{row.name} is disabled.", field="user")
            # a session that somebody left open must not become a new password
            installation = principal.via == "token"
            return links.add(conn, row.id, installation or row.id != principal.user_id)

        principal.require_hand_out()
        if name is not None and name.strip().lower() != principal.name and not principal.administrator:
            raise Forbidden("Links for others need an administrator.", hint="Ask one to run `trainyard link --user`.")
        return self._database.write(make)

    # -- passwords and users ----------------------------------------------------------------------------------------

    async def set_own_password(self, principal: Principal, old: str | None, new: str, address: str) -> None:
        """Ends the user's other sessions. Raises InvalidInput where the old one is needed and not right."""
        principal.require_hand_out()
        passwords.check(new, "new")
        row = await self._read(lambda conn: users.get(conn, user_id=principal.user_id))
        if row.password is not None and not await self._needs_no_old(principal):
            if old is None:
                raise InvalidInput("The old password is needed too.", field="old")
            self.tries.count(row.name, address)
            if not await self.passwords.matches(row.password, old):
                raise InvalidInput("This is not the old password.", field="old")
            self.tries.forgive(row.name, address)
        stored = await self.passwords.hash(new)
        await self.write(lambda conn: self._keep_password(conn, principal, principal.user_id, stored))

    async def _needs_no_old(self, principal: Principal) -> bool:
        """With the installation's own token, and shortly after an administrator's link."""
        if principal.via == "token":
            return True
        session = await self._read(lambda conn: sessions.find(conn, principal.credential))
        return session is not None and (session.password_until or 0) > time.time()

    def _keep_password(self, conn: sa.Connection, principal: Principal, user_id: str, stored: str) -> None:
        users.change(conn, user_id, password=stored)
        links.drop(conn, user_id)
        sessions.end_all(conn, user_id, but=principal.credential)
        sessions.password_was_set(conn, user_id)

    async def add_user(self, name: str, password: str | None, administrator: bool) -> UserRow:
        if password is not None:
            passwords.check(password)
        stored = await self.passwords.hash(password) if password is not None else None
        return await self.write(lambda conn: users.add(conn, name, stored, administrator))

    async def change_user(
        self,
        principal: Principal,
        user_id: str,
        *,
        disabled: bool | None,
        password: str | None,
        administrator: bool | None,
    ) -> UserRow:
        """What is None stays. Disabling ends all sessions and links at once; tokens count again when it is undone."""
        if user_id in (users.BUILT_IN, principal.user_id) and (disabled or administrator is False):
            raise InvalidInput(
                "Neither the installation's own administrator nor yourself can be disabled or made less.",
                field="disabled" if disabled else "administrator",
            )
        if password is not None:
            passwords.check(password)
        await self._read(lambda conn: users.get(conn, user_id=user_id))  # before the work of hashing
        stored = await self.passwords.hash(password) if password is not None else None

        def store(conn: sa.Connection) -> UserRow:
            row = users.get(conn, user_id=user_id)
            if stored is not None:
                self._keep_password(conn, principal, row.id, stored)
            if administrator is not None:
                users.change(conn, row.id, administrator=administrator)
            if disabled is not None:
                users.change(conn, row.id, disabled_at=(row.disabled_at or time.time()) if disabled else None)
            if disabled:
                sessions.end_all(conn, row.id)
                links.drop(conn, row.id)
            return users.get(conn, user_id=row.id)

        return await self.write(store)

    # -- members and tokens: blocking -------------------------------------------------------------------------------

    def put_member(self, project_id: str, name: str, role: Role) -> members.Member:
        def store(conn: sa.Connection) -> members.Member:
            row = users.get(conn, name=name)
            return members.Member(row.id, row.name, role, members.put(conn, project_id, row.id, role))

        return self._changing(store)

    def remove_member(self, project_id: str, name: str) -> None:
        self._changing(lambda conn: members.remove(conn, project_id, users.get(conn, name=name).id))

    def add_token(
        self, principal: Principal, name: str, project_id: str | None, role: Role | None, days: int | None
    ) -> tuple[tokens.ApiToken, str]:
        """Raises NotFound or Forbidden where it would reach further than its owner."""
        if project_id is not None:
            principal.require(role or Role.VIEWER, project_id)

        def store(conn: sa.Connection) -> tuple[tokens.ApiToken, str]:
            if project_id is not None:
                members.require_project(conn, project_id)
            return tokens.add(conn, principal.user_id, name, project_id, role, days)

        return self._database.write(store)

    def revoke_token(self, principal: Principal, token_id: str) -> None:
        self._changing(lambda conn: tokens.revoke(conn, principal.user_id, token_id))

    def members_of(self, project_id: str) -> list[members.Member]:
        with self._database.read() as conn:
            members.require_project(conn, project_id)
            return list(members.of_project(conn, project_id))

    def tokens_of(self, user_id: str) -> list[tokens.ApiToken]:
        with self._database.read() as conn:
            return list(tokens.of_user(conn, user_id))

    def everyone(self) -> list[UserRow]:
        with self._database.read() as conn:
            return list(users.everyone(conn))

    def user(self, user_id: str) -> UserRow:
        with self._database.read() as conn:
            return users.get(conn, user_id=user_id)

    # -- the database -----------------------------------------------------------------------------------------------

    def _changing(self, work: Callable[[sa.Connection], T]) -> T:
        result = self._database.write(work)
        self.changes += 1  # after the commit: whoever looks again sees it
        return result

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        return await asyncio.to_thread(self._changing, work)

    async def _read(self, work: Callable[[sa.Connection], T]) -> T:
        def read() -> T:
            with self._database.read() as conn:
                return work(conn)

        return await asyncio.to_thread(read)


def _is_due(last: float | None) -> bool:
    return last is None or time.time() - last > WRITTEN_SECONDS
