"""`python -m services.rollout_manager`: this service on its own."""

from services.rollout_manager.app import app
from shared.run import main

main("rollout_manager", app)
