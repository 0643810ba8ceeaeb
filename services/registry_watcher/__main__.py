"""`python -m services.registry_watcher`: this service on its own."""

from services.registry_watcher.app import app
from shared.run import main

main("registry_watcher", app)
