"""The runtime: the coordinator for capabilities and policies."""

from __future__ import annotations

import os
import threading
from typing import Any, Callable, Iterable, Mapping, Optional, ParamSpec, TypeVar, Union

from ..._runtime import Runtime as OrdainRuntime
from ._engine import CallableCapabilityInterceptor, CapabilityInterceptor, PolicyEngine
from ._registry import CapabilityRegistry, PolicyRegistry, policy_text
from ._types import AgentAction, Capability, Decision, Policy, PolicyFunction

P = ParamSpec("P")
R = TypeVar("R")


class Runtime:
    """Governs the calls of one agent. ``scopes`` is what the agent was granted, and ``database`` the directory of the
    record and the approvals; without it nothing is recorded, and approvals are kept in memory. Nothing that no policy
    allows is executed."""

    def __init__(self, agent_id: Optional[str] = None, environment: Optional[str] = None,
                 tenant_id: Optional[str] = None, principal_id: Optional[str] = None,
                 capabilities: Iterable[Capability] = (), policies: Iterable[Policy] = (), *,
                 scopes: Iterable[str] = (), database: Union[str, "os.PathLike[str]", None] = None) -> None:
        self.agent_id = agent_id or ""
        self.environment = environment or ""
        self.tenant_id = tenant_id or ""
        self.principal_id = principal_id or ""
        self.scopes = tuple(scopes)
        self._database = database
        self._mutex = threading.Lock()  # protects what follows
        self._engine: Optional[OrdainRuntime] = None
        self._is_current = False
        self.capabilities = CapabilityRegistry(self._changed)
        self.policy = PolicyRegistry(self._changed)
        self.policies = PolicyEngine(self)
        self.interceptor = CapabilityInterceptor(self)
        self.callables = CallableCapabilityInterceptor(self)
        for capability in capabilities:
            self.capabilities.register(capability)
        for policy in policies:
            self.policy.register(policy)

    @property
    def ordain(self) -> OrdainRuntime:
        """Ordain's runtime, for approvals and the record. It is opened when it is first needed, and has the capabilities
        and policies that are registered now."""
        with self._mutex:
            if self._engine is None or not self._is_current:
                self._is_current = True  # before they are read, so that what is registered meanwhile is not missed
                try:
                    self._read()
                except BaseException:
                    self._is_current = False
                    raise
            assert self._engine is not None
            return self._engine

    def _read(self) -> None:
        texts = {"brane": policy_text(self.capabilities, self.policy)}
        if self._engine is None:
            self._engine = OrdainRuntime.open(texts=texts, agent=self.agent_id, environment=self.environment,
                                              tenant=self.tenant_id, principal=self.principal_id, database=self._database,
                                              native=False)
        else:
            self._engine.reload(texts=texts)

    def _changed(self) -> None:
        self._is_current = False

    def close(self) -> None:
        """Closes the record."""
        with self._mutex:
            if self._engine is not None:
                self._engine.close()

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- capabilities ---

    def register_capability(self, capability: Capability) -> Capability:
        return self.capabilities.register(capability)

    def capability(self, name: str, type: str = "tool", risk: str = "none",
                   **kwargs: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Registers a function as a capability. The further arguments are those of Capability."""
        def wrap(function: Callable[P, R]) -> Callable[P, R]:
            return self.wrap_capability(function, name, type, risk, **kwargs)

        return wrap

    def wrap_capability(self, fn: Callable[P, R], name: str, type: str = "tool", risk: str = "none",
                        **kwargs: Any) -> Callable[P, R]:
        """The same without a decorator. A call raises ordain.Denied, Pending or Withheld, and what the function
        raises."""
        return self.callables.wrap(fn, self.capabilities.register(Capability(name, type, risk, **kwargs)))

    # --- policies ---

    def before_capability(self, target: str, name: str = "",
                          version: str = "") -> Callable[[PolicyFunction], PolicyFunction]:
        """Registers a function that judges calls before they run."""
        return self._policy(target, "before_capability", name, version)

    def after_capability(self, target: str, name: str = "",
                         version: str = "") -> Callable[[PolicyFunction], PolicyFunction]:
        """Registers a function that judges what calls gave, as ``ctx.output``."""
        return self._policy(target, "after_capability", name, version)

    def _policy(self, target: str, stage: str, name: str, version: str) -> Callable[[PolicyFunction], PolicyFunction]:
        def register(function: PolicyFunction) -> PolicyFunction:
            self.policy.register(Policy(target, stage, function, name, version))
            return function

        return register

    # --- actions by hand ---

    def create_action(self, capability_name: str, input: Mapping[str, Any], action_type: Optional[str] = None, *,
                      tenant_id: Optional[str] = None, principal_id: Optional[str] = None) -> AgentAction:
        """Makes an action of a registered capability; the runtime says who acts, unless the arguments do."""
        known = self.capabilities[capability_name]
        return AgentAction(capability_name, dict(input), action_type or known.type, self.agent_id, self.environment,
                           self.tenant_id if tenant_id is None else tenant_id,
                           self.principal_id if principal_id is None else principal_id)

    def evaluate_action(self, action: AgentAction) -> Decision:
        """Decides an action before it runs, and does nothing else."""
        return self.policies.evaluate(action)

    def evaluate(self, capability_name: str, input: Mapping[str, Any]) -> Decision:
        """Makes an action, and decides it."""
        return self.evaluate_action(self.create_action(capability_name, input))
