"""Refusals as pages: a sentence, what to do next, a way back. Never a stack trace. Machines get theirs as JSON."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, Response, current_app, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError

from engine.errors import Broken, Conflict, Invalid, NotAllowed, NotFound, Refusal, Unavailable
from engine.keys.verifying import PresentedRefused
from engine.people.systems import CredentialRefused
from engine.people.throttling import TooOften
from engine.text import Text
from web.language import language
from web.problems import by_machine, problem
from web.session import LoginExpired, this_page

STATUS: dict[type[Refusal], int] = {
    NotFound: 404,
    NotAllowed: 403,
    Conflict: 409,
    Invalid: 422,
    Broken: 500,
    Unavailable: 503,
    TooOften: 429,
    CredentialRefused: 401,
}
_TO_MACHINES = {
    400: Text("请求无法处理。", "The request can't be read."),
    404: Text("没有这个接口，请核对路径。", "Nothing is answered at this path."),
    405: Text("这个接口不支持该请求方法。", "This path does not answer the method of the request."),
    413: Text("请求正文太大。", "The body of the request is too large."),
    415: Text(
        "请求正文应为 JSON，Content-Type 为 application/json。", "Send JSON, with the Content-Type application/json."
    ),
    500: Text("系统出现问题，请稍后再试。", "Something failed on our side; try again later."),
}
Page = tuple[str, int]
E = TypeVar("E", bound=Exception)


def status_of(refusal: Refusal) -> int:
    """The status code of the refusal's kind."""
    return next((status for kind, status in STATUS.items() if isinstance(refusal, kind)), 400)


def status_and_headers(refusal: Refusal) -> tuple[int, dict[str, str]]:
    """With what a page is answered that tells of a refusal."""
    if isinstance(refusal, TooOften):
        return 429, {"Retry-After": str(refusal.seconds)}
    return status_of(refusal), {"WWW-Authenticate": "Bearer"} if isinstance(refusal, CredentialRefused) else {}


def init_app(app: Flask) -> None:
    app.register_error_handler(Refusal, _for_machines(_refused))
    app.register_error_handler(Unavailable, _for_machines(_unavailable))
    app.register_error_handler(LoginExpired, _login_expired)
    app.register_error_handler(CSRFError, _token_refused)
    app.register_error_handler(HTTPException, _for_machines(_http))
    app.register_error_handler(SecurityError, _unknown_host)


def _for_machines(handler: Callable[[E], Any]) -> Callable[[E], Any]:
    """The same refusal as JSON, where a machine asked."""

    @wraps(handler)
    def answer(error: E) -> Any:
        return _problem(error) if by_machine() else handler(error)

    return answer


def _problem(error: Exception) -> Response:
    if isinstance(error, Unavailable):
        current_app.logger.error("%s", error, exc_info=error)
        return problem(503, error.text, headers={"Retry-After": "10"})
    if isinstance(error, Refusal):
        status, headers = status_and_headers(error)
        errors = error.errors if isinstance(error, PresentedRefused) else None
        return problem(status, error.text, headers=headers, errors=errors)
    status = (error.code if isinstance(error, HTTPException) else None) or 500
    headers = {"Allow": ", ".join(error.valid_methods or ())} if isinstance(error, MethodNotAllowed) else {}
    return problem(status, _TO_MACHINES.get(status, _TO_MACHINES[500 if status >= 500 else 400]), headers=headers)


def _refused(refusal: Refusal) -> tuple[str, int, dict[str, str]]:
    status, headers = status_and_headers(refusal)
    advice = {
        403: gettext("如需办理，请用有相应权限的账号登录，或联系本单位管理人员。"),
        404: gettext("它可能不存在，也可能不属于您所在的单位。"),
        409: gettext("请返回上一页并刷新，查看最新情况后再操作。"),
        422: gettext("请返回上一页修改后再提交，您填写的内容仍在浏览器中。"),
        429: gettext("请返回上一页，稍后再提交，您填写的内容仍在浏览器中。"),
    }
    page, status = _page(status, refusal.to(language()), advice.get(status, gettext("请返回上一页后再试。")))
    return page, status, headers


def _unavailable(refusal: Unavailable) -> tuple[str, int, dict[str, str]]:
    current_app.logger.error("%s", refusal, exc_info=refusal)  # an operator needs to know what the database said
    return _unavailable_page(refusal), 503, {"Retry-After": "10"}


def _login_expired(_error: LoginExpired) -> Page:
    advice = gettext("请在新窗口重新登录，再回到本页后退一步，重新提交；您填写的内容仍在浏览器中。")
    return _page(401, gettext("登录已过期，内容没有提交。"), advice, log_in=True)


def _token_refused(_error: CSRFError) -> Page:
    advice = gettext("请返回上一页再提交一次；如仍不成功，请先把较长的内容复制下来，再刷新页面。")
    return _page(400, gettext("页面已过期，请返回重试，您填写的内容仍在浏览器中。"), advice)


def _http(error: HTTPException) -> Page | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    if status >= 500:
        advice = gettext("请稍后再试；如果一再出现，请联系平台运维人员，并告知发生的时间。")
        return _bare_page(gettext("系统出现问题，内容没有提交。"), advice), status
    sentence, advice = {
        404: (
            NotFound.sentence.to(language()),
            gettext("如果地址是手工输入的，请检查是否有误；如果是从链接打开的，请从首页重新进入。"),
        ),
        405: (gettext("这个地址不能这样访问。"), gettext("请从首页或菜单重新进入。")),
        413: (gettext("提交的内容太大，服务器没有接收。"), gettext("请返回上一页，压缩附件或分几次上传后再提交。")),
        429: (gettext("操作过于频繁。"), gettext("请稍等片刻再试。")),
    }.get(status, (gettext("请求无法处理。"), gettext("请返回上一页后再试。")))
    return _page(status, sentence, advice)


def _unknown_host(_error: SecurityError) -> Response:
    """Nothing on a page could be an address of this site: it would be one under the name that was refused."""
    sentence = gettext("这个网址不是本系统的网址，请核对浏览器地址栏。")
    return Response(sentence + "\n", 400, mimetype="text/plain")


def _unavailable_page(refusal: Unavailable) -> str:
    advice = gettext("请返回上一页再试，您填写的内容仍在浏览器中；如果一再出现，请联系平台运维人员，并告知发生的时间。")
    return _bare_page(refusal.to(language()), advice)


def _bare_page(sentence: str, advice: str) -> str:
    """A page that asks nothing of a database that may be away, not even who is logged in, as Flask's own rendering
    does for every page."""
    return current_app.jinja_env.get_template("errors/bare.html").render(sentence=sentence, advice=advice)


def _page(status: int, sentence: str, advice: str, *, log_in: bool = False) -> Page:
    try:
        page = render_template(
            "errors/refusal.html",
            status=status,
            sentence=sentence,
            advice=advice,
            log_in=url_for("session.log_in", next=this_page()) if log_in else None,
            # Not where an answer is still in the browser's history: opening the page anew would lose it.
            back=this_page() if request.method == "POST" and not log_in else None,
        )
    except Unavailable as refusal:  # an unknown address, say, while the database is away
        return _unavailable_page(refusal), 503
    return page, status
