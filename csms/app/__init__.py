"""The composition root: a configuration in, a running server out."""

from csms.app.server import CLI_FILE, DATABASE, CannotStart, serve
from csms.app.settings import tls_files

__all__ = ["CLI_FILE", "DATABASE", "CannotStart", "serve", "tls_files"]
