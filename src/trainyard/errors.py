"""One error tree. Whoever raises says what happened, why, and what to do; one handler turns it into an answer.

TrainyardError
 ├─ InvalidInput 422          a field of the request is wrong; `field` names it
 │   └─ InvalidSetting 422    … or a setting is, at start-up
 ├─ Unauthorized 401          no token or session, or one that does not count here
 │   └─ WrongCredentials 401  … or a name and a password that do not belong together
 ├─ Forbidden 403             a role too low for it
 ├─ NotFound 404
 ├─ Conflict 409              true a moment ago, not any more
 ├─ TooLarge 413
 ├─ TooManyTries 429          to sign in; says when to come back
 ├─ NotAvailable 501          this installation cannot do it
 └─ Unavailable 503           a part is away; the same call may succeed later
     ├─ StorageUnavailable
     └─ ServiceFailed         a local service did not start
"""


class TrainyardError(Exception):
    """Base of everything that is said to a user on purpose."""

    code = "error"
    status = 500

    def __init__(self, message: str, *, hint: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field
        self.details: dict[str, int | str] | None = None  # for machines, where a class of its own says so

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InvalidInput(TrainyardError):
    code = "invalid_input"
    status = 422


class InvalidSetting(InvalidInput):
    code = "invalid_setting"


class Unauthorized(TrainyardError):
    code = "unauthorized"
    status = 401


class WrongCredentials(Unauthorized):
    code = "wrong_credentials"


class Forbidden(TrainyardError):
    code = "forbidden"
    status = 403


class NotFound(TrainyardError):
    code = "not_found"
    status = 404


class Conflict(TrainyardError):
    code = "conflict"
    status = 409


class TooLarge(TrainyardError):
    code = "too_large"
    status = 413


class TooManyTries(TrainyardError):
    code = "too_many_tries"
    status = 429

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, hint=f"Try again in {retry_after} s.")
        self.retry_after = retry_after


class NotAvailable(TrainyardError):
    code = "not_available"
    status = 501


class Unavailable(TrainyardError):
    code = "unavailable"
    status = 503


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"


class ServiceFailed(Unavailable):
    code = "service_failed"
