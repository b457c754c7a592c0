"""Brane's runtime, capabilities and policy functions, over Ordain, for programs that change over step by step.

Each policy function is a host rule: its verdict goes to the engine as a fact of the host, so that the engine combines the
verdicts, asks for approval and records. docs/coming-from-brane.md of the project lists what differs from Brane.
"""

from ._engine import CallableCapabilityInterceptor, CapabilityInterceptor, PolicyEngine
from ._registry import CapabilityRegistry, PolicyRegistry
from ._runtime import Runtime
from ._types import AgentAction, Capability, Decision, Policy, PolicyContext

__all__ = ["AgentAction", "CallableCapabilityInterceptor", "Capability", "CapabilityInterceptor", "CapabilityRegistry",
           "Decision", "Policy", "PolicyContext", "PolicyEngine", "PolicyRegistry", "Runtime"]
