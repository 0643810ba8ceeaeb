"""Git hosts for these tests."""

from tests.parts.gitserver import git_host, ssh_host, unused_tcp_port

__all__ = ["git_host", "ssh_host", "unused_tcp_port"]
