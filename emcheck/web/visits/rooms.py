"""The fitters' part of the application: its routes, its files, and the worker that keeps pages on the phone."""

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from emcheck.web.parts import Parts
from emcheck.web.visits import ending, offline, opening, pages, photos, rest
from emcheck.web.visits.drawing import FOLDER
from emcheck.web.visits.following import Following


def add_visits(app: FastAPI, parts: Parts) -> None:
    """Add it."""
    app.state.visits = Following(parts.desk, parts.clock)
    for part in (rest, photos, offline, opening, ending, pages):  # pages has the paths that any name fits
        app.include_router(part.router)
    app.mount("/static/visits", StaticFiles(directory=FOLDER / "static"), name="visits")
