"""`python -m services.image_updater`: this service on its own."""

from services.image_updater.app import app
from shared.run import main

main("image_updater", app)
