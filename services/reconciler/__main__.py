"""`python -m services.reconciler`: this service on its own."""

from services.reconciler.app import app
from shared.run import main

main("reconciler", app)
