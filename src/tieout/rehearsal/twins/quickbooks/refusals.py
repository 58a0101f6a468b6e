"""Every refusal QuickBooks answers with, as one exception that knows its fault envelope; nothing here keeps any state."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_INACTIVE = "what this refers to is deleted, inactive or was never there; look at the accounts, customers, items, vendors and terms named here"


class Refused(Exception):
    """QuickBooks says no; the code says why and the detail says it in words."""

    def __init__(self, code: str, message: str, detail: str, *, element: str | None = None, kind: str = "ValidationFault", status: int = 400) -> None:
        super().__init__(f"{code} {message}: {detail}")
        self.code = code
        self.message = message
        self.detail = detail
        self.element = element
        self.kind = kind
        self.status = status

    def fault(self) -> Json:
        """The envelope every v3 answer uses."""
        error: Json = {"Message": self.message, "Detail": self.detail, "code": self.code}
        if self.element is not None:
            error["element"] = self.element
        return {"Fault": {"Error": [error], "type": self.kind}}


def unknown_property(detail: str) -> Refused:
    return Refused("2010", "Request has invalid or unsupported property", f"Property Name:{detail} specified is unsupported or invalid")


def missing(name: str) -> Refused:
    return Refused(
        "2020",
        "Required param missing, need to supply the required value for the API",
        f"Required parameter {name} is missing in the request",
        element=name,
    )


def not_a_number(value: str) -> Refused:
    return Refused("2030", "Invalid ID", f"Id should be a valid number. Supplied value:{value}", element="Id")


def too_long(name: str, longest: int) -> Refused:
    return Refused("2050", "Length exceeds limit", f"{name} holds at most {longest} characters", element=name)


def invalid_reference(kind: str, value: str) -> Refused:
    return Refused("2500", "Invalid Reference Id", f"Invalid Reference Id : {kind} element id {value} not found: {_INACTIVE}", element="")


def not_found(kind: str, value: str) -> Refused:
    return Refused("610", "Object Not Found", f"Object Not Found : {kind} {value}: {_INACTIVE}", element="")


def stale(entity: str, given: str, current: str) -> Refused:
    detail = f"Stale Object Error : somebody else saved this {entity} first (token {given} was given, it is at {current}); nothing was saved"
    return Refused("5010", "Stale Object Error", detail, element="")


def duplicate_name(name: str) -> Refused:
    return Refused("6240", "Duplicate Name Exists Error", f"The name supplied already exists. : another record is called {name!r}", element="")


def duplicate_number(number: str, entity: str, txn_id: str) -> Refused:
    detail = f"Duplicate Document Number Error : DocNumber={number} is assigned to TxnType={entity} with TxnId={txn_id}"
    return Refused("6140", "Duplicate Document Number Error", detail, element="")


def amounts_differ(given: str, expected: str) -> Refused:
    detail = f"Amount is not equal to UnitPrice * Qty. Supplied value:{given}, expected {expected}"
    return Refused("6070", "Amount calculation incorrect in the request", detail, element="Line.Amount")


def deposited(entity: str) -> Refused:
    detail = f"Deposited Transaction cannot be changed : this {entity} is part of a deposit; take it out of the deposit first"
    return Refused("6540", "Deposited Transaction cannot be changed", detail, element="")


def business(detail: str) -> Refused:
    """The one code behind which most of the bookkeeping rules stand."""
    return Refused(
        "6000", "A business validation error has occurred while processing your request", f"Business Validation Error: {detail}", element=""
    )


def unsupported(operation: str) -> Refused:
    return Refused("500", "Unsupported Operation", f"Operation {operation} is not supported.")


def unparsed(detail: str) -> Refused:
    return Refused("4000", "Error parsing query", f"QueryParserError: {detail}")


def invalid_query(detail: str) -> Refused:
    return Refused("4001", "Invalid query", f"QueryValidationError: {detail}")


def throttled() -> Refused:
    return Refused(
        "3001",
        "message=ThrottleExceeded; errorCode=003001; statusCode=429",
        "The request limit was reached. Wait a minute, then go on more slowly.",
        kind="ThrottleExceeded",
        status=429,
    )


def wrong_company(realm: str) -> Refused:
    return Refused(
        "3100",
        "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
        f"This token does not open the company {realm}",
        kind="AuthorizationFault",
        status=403,
    )


def system_failure() -> Refused:
    return Refused(
        "10000",
        "An application error has occurred while processing your request",
        "System Failure Error: something broke on our side",
        kind="SystemFault",
        status=500,
    )


def expired_token(detail: str, moment_ms: int) -> Json:
    """The gateway's own 401: it stands before the accounting service and writes its fault in lower case."""
    error = {"message": "message=AuthenticationFailed; errorCode=003200; statusCode=401", "detail": detail, "code": "3200", "element": None}
    return {
        "warnings": None,
        "intuitObject": None,
        "fault": {"error": [error], "type": "AUTHENTICATION"},
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "time": moment_ms,
        "status": None,
        "cdcresponse": [],
    }
