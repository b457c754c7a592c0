"""Governs the tools of agent frameworks. Each module needs its framework, which the package itself does not install."""
