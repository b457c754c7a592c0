"""Ordain: policies for what software agents do, decided before each call and after it, within the process.

>>> import ordain
>>> runtime = ordain.Runtime.open("policies/", agent="support", database="state/")   # doctest: +SKIP
>>> @runtime.capability("refund")                                                    # doctest: +SKIP
... def refund(customer: str, amount: float) -> dict: ...

docs/python.md of the project explains all of it.
"""

from ._call import Call
from ._capability import Capability
from ._decision import Approval, Authorization, Decision, Health, Obligation, Verification
from ._policies import Policies
from ._runtime import Approvals, Identity, Runtime
from .errors import (ClosedError, Denied, ForkedError, OrdainError, Pending, PolicyError, RefusedError, Stopped,
                     Withheld)

__all__ = [
    "Approval",
    "Approvals",
    "Authorization",
    "Call",
    "Capability",
    "ClosedError",
    "Decision",
    "Denied",
    "ForkedError",
    "Health",
    "Identity",
    "Obligation",
    "OrdainError",
    "Pending",
    "Policies",
    "PolicyError",
    "RefusedError",
    "Runtime",
    "Stopped",
    "Verification",
    "Withheld",
]
