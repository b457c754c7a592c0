"""Aegis's plans, executors and approval handlers, over Ordain, for programs that change over step by step.

``ordain import aegis policy.yaml -o policy.policy`` converts the policies. An action asks for the capability
``TARGET.TYPE``; ``params`` are its input. docs/coming-from-aegis.md of the project lists what differs from Aegis.
"""

from ._actions import (Action, Approval, BaseExecutor, ExecutionPlan, PolicyDecision, Result, ResultStatus,
                       RiskLevel)
from ._policy import Policy
from .runtime import Runtime

__all__ = ["Action", "Approval", "BaseExecutor", "ExecutionPlan", "Policy", "PolicyDecision", "Result", "ResultStatus",
           "RiskLevel", "Runtime"]
