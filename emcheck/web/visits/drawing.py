"""Pages of a visit, drawn in the reader's language and theme."""

from functools import lru_cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emcheck.domain.rights import Right
from emcheck.web.pages import HERE
from emcheck.web.people.signing_in import Who
from emcheck.web.visits.words import LANGUAGE_COOKIE, LANGUAGES, in_language, language_of

FOLDER = HERE / "visits"


@lru_cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    words = in_language(language)
    environment.install_gettext_callables(  # type: ignore[attr-defined] # a method that the extension adds
        words.gettext, lambda one, many, number: words.gettext(one if number == 1 else many), newstyle=True
    )
    environment.filters |= {"said": words.said, "when": words.when, "day": words.day, "weekday": words.weekday}
    return environment


def page(request: Request, template: str, *, who: Who, status: int = 200, **said: Any) -> Response:
    """A page, or a part of one."""
    cookie, accepted = request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
    language = language_of(who.language, cookie, accepted=accepted)
    theme = request.cookies.get("emcheck-theme", "")
    may = {right.value: who.may(right) for right in Right}
    text = _environment(language).get_template(template).render(
        who=who, may=may, language=language, languages=LANGUAGES, path=request.url.path,
        theme=theme if theme in ("dark", "light") else "", **said,
    )  # fmt: skip
    return HTMLResponse(text, status_code=status, headers={"Content-Language": language})
