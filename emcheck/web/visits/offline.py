"""What a phone keeps for dead spots: the worker that serves kept pages, and the page that says that one is not kept."""

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from emcheck.web.guarding import MaySeeVisits
from emcheck.web.visits.drawing import FOLDER, page

router = APIRouter(include_in_schema=False)


@router.get("/visits/worker.js")
async def worker(who: MaySeeVisits) -> Response:
    """The service worker; it stands here because its address says which pages it serves."""
    return FileResponse(
        FOLDER / "static" / "worker.js", media_type="text/javascript",
        headers={"Service-Worker-Allowed": "/visits", "Cache-Control": "no-cache"},
    )  # fmt: skip


@router.get("/visits/offline")
async def offline(request: Request, who: MaySeeVisits) -> Response:
    """What is shown in a dead spot where a page was never opened."""
    return page(request, "offline.html", who=who)
