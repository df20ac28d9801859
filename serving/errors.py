"""Everything that can go wrong on a request's way, and the status each becomes.

ServiceError                   500  our bug
  + ClientGoneError            499  nobody reads the answer any more
  + BadRequestError            400  the request cannot be understood
      - BadImageError          400  a picture cannot be fetched or decoded
      - ContextLengthError     400  the prompt is longer than every able backbone's context
  + UnauthorizedError          401  no key, or one that is not known
  + ForbiddenError             403  a known key that may not do this
  + NotFoundError              404  no experiment, request or table of that name
  + SlowBodyError              408  the body did not come in time
  + ConflictError              409  the experiment exists already, or has ended
  + UnknownModelError          404  no backbone or policy of that name
  + TooLargeError              413  body, picture bytes or picture pixels over a limit
  + NotAnImageError            415  the bytes are no picture of a kind we read
  + NoModelError               422  understood, but no hosted backbone can take it
  + OverloadedError            429  understood, but not now; carries seconds to wait
      - RateLimitedError       429  the key's own requests or tokens are used up
  + EngineError                502  a backbone failed while answering
  + BackboneDownError          503  the backbone, or every able one, is down
      - StorageError           503  the answer could not be recorded, so it is not given
  + DeadlineError              504  too late
"""

from typing import ClassVar


class ServiceError(Exception):
    """Base of all errors a client may see; `param` names the field at fault, if one is."""

    status: ClassVar[int] = 500
    kind: ClassVar[str] = "server_error"
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class ClientGoneError(ServiceError):
    """The client went away before it had its answer."""

    status, kind, code = 499, "invalid_request_error", "client_closed_request"


class BadRequestError(ServiceError):
    """The request cannot be understood."""

    status, kind, code = 400, "invalid_request_error", "invalid_request"


class BadImageError(BadRequestError):
    """A picture cannot be fetched or decoded."""

    code = "invalid_image"


class ContextLengthError(BadRequestError):
    """The prompt does not fit the context of any backbone that may answer."""

    code = "context_length_exceeded"


class UnauthorizedError(ServiceError):
    """No key, or one that is not known."""

    status, kind, code = 401, "authentication_error", "invalid_api_key"


class ForbiddenError(ServiceError):
    """A known key that may not do this."""

    status, kind, code = 403, "permission_error", "forbidden"


class NotFoundError(ServiceError):
    """Nothing of that name."""

    status, kind, code = 404, "invalid_request_error", "not_found"


class SlowBodyError(ServiceError):
    """The body did not come in time."""

    status, kind, code = 408, "invalid_request_error", "request_timeout"


class ConflictError(ServiceError):
    """It is there already, or can no longer be changed."""

    status, kind, code = 409, "invalid_request_error", "conflict"


class UnknownModelError(ServiceError):
    """No backbone or policy of that name."""

    status, kind, code = 404, "invalid_request_error", "model_not_found"


class TooLargeError(ServiceError):
    """A body or a picture is over its limit."""

    status, kind, code = 413, "invalid_request_error", "too_large"


class NotAnImageError(ServiceError):
    """The bytes are no picture of a kind that is read here."""

    status, kind, code = 415, "invalid_request_error", "unsupported_image"


class NoModelError(ServiceError):
    """No hosted backbone can take the request."""

    status, kind, code = 422, "invalid_request_error", "no_eligible_backbone"


class OverloadedError(ServiceError):
    """Every able replica is busy; the client may try again."""

    status, kind, code = 429, "rate_limit_error", "overloaded"
    retry_after_s: int = 1


class RateLimitedError(OverloadedError):
    """The caller's key has used up its requests or tokens for now."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class EngineError(ServiceError):
    """A backbone failed while answering."""

    status, kind, code = 502, "server_error", "backbone_failed"


class BackboneDownError(ServiceError):
    """The backbone, or every able one, is down."""

    status, kind, code = 503, "server_error", "backbone_down"


class StorageError(BackboneDownError):
    """The answer could not be recorded, so it is not given."""

    code = "storage_unavailable"


class DeadlineError(ServiceError):
    """The answer did not come in time."""

    status, kind, code = 504, "server_error", "deadline_exceeded"
