"""`python -m services.renderer`: the renderer on its own."""

from services.renderer.app import app
from shared.run import main

main("renderer", app)
