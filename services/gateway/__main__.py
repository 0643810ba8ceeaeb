"""`python -m services.gateway`."""

from services.gateway.app import app
from shared.run import main

main("gateway", app)
