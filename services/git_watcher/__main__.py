"""`python -m services.git_watcher`: this service on its own."""

from services.git_watcher.app import app
from shared.run import main

main("git_watcher", app)
