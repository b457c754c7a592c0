"""The runtime, its approval handlers and its audit backends."""

from ._engine import Runtime
from .approval import ApprovalHandler, AutoApprovalHandler, CLIApprovalHandler
from .approval_callback import CallbackApprovalHandler
from .audit import AuditLogger
from .audit_logging import LoggingAuditLogger

__all__ = ["ApprovalHandler", "AuditLogger", "AutoApprovalHandler", "CLIApprovalHandler", "CallbackApprovalHandler",
           "LoggingAuditLogger", "Runtime"]
