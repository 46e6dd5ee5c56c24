"""Private files over HTTP: photos and snapshots, for those who may see their row.

A view finds the row by its key and hands the row's own file over; no path ever comes
from outside. In links for the API the login is signed in, for five minutes.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, set_response_etag
from django.views.decorators.http import require_safe

from .answers import FRESH, not_logged_in, refusal
from .auth import LINK_AGE, NotLoggedIn, sign_link, viewer
from .placeholder import placeholder

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models.fields.files import FieldFile
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

    View = Callable[..., HttpResponseBase]

PRIVATE = {
    # As long as a link: what was erased must not stay on a screen for longer.
    "Cache-Control": f"private, max-age={int(LINK_AGE.total_seconds())}",
    "X-Content-Type-Options": "nosniff",
}
GONE = ("No picture", "It was removed, or kept for as long as pictures are kept.")


def signed_url(path: str, *, request: Request | None) -> str:
    """Return the whole address of a file, with a link that needs no login.

    Without a request, as in what is announced to pages, it is the bare path: a page
    has its session.
    """
    if request is None or not request.user.is_authenticated:
        return path
    query = urlencode({"link": sign_link(user=request.user, to=path)})
    return str(request.build_absolute_uri(f"{path}?{query}"))


def for_lookers(permission: str) -> Callable[[View], Any]:
    """Give the view the user, who has the permission, as `user`.

    Login is a session, a token or a signed link; whoever may not look is answered as
    by the REST API.
    """

    def decorate(view: View) -> Any:
        @wraps(view)
        def guarded(request: HttpRequest, **keys: Any) -> HttpResponseBase:
            try:
                user = viewer(request, of=request.path)
            except NotLoggedIn as error:
                return not_logged_in(error)
            if not user.has_perm(permission):
                return refusal("Your role may not see it.", "permission_denied", 403)
            try:
                return view(request, user=user, **keys)
            except Http404:
                return refusal("There is no such picture.", "not_found", 404)

        return require_safe(login_not_required(guarded))

    return decorate


def picture(request: HttpRequest, file: FieldFile | None) -> HttpResponseBase:
    """Return a row's JPEG, or a 404 with a picture that says it is gone."""
    jpeg = read(file) if file else None
    if jpeg is None:
        return HttpResponse(
            placeholder(*GONE), status=404, content_type="image/jpeg", headers=FRESH
        )
    response = HttpResponse(jpeg, content_type="image/jpeg", headers=PRIVATE)
    set_response_etag(response)
    found = get_conditional_response(request, response["ETag"], None, response)
    return found or response


def read(file: FieldFile) -> bytes | None:
    """Return what the storage holds; None where that is no file any more."""
    try:
        with file.open("rb") as opened:
            return bytes(opened.read())
    except (FileNotFoundError, IsADirectoryError):
        return None
