"""The description of the interface for machines (OpenAPI 3.1), out of the rules that the engine itself goes by."""

from typing import Any

from engine.keys.verifying import FIELDS, SENTENCES, WINDOW, Result

_ABOUT = {
    "key_id": "测试密钥的编号 / id of the test key",
    "method": "企业请求的方法 / method of the device's request",
    "path": "企业请求的路径和查询串，与发送时一致 / its path and query as sent",
    "timestamp": f"Unix 时间戳（秒），与实际时间相差不超过 {WINDOW.seconds} 秒 / seconds, at most {WINDOW.seconds} off",
    "nonce": "随机数，每次请求一个 / a new one for each request",
    "body_sha256": "请求正文的 SHA-256，由市级系统自行计算 / SHA-256 of the body, computed by the city's system",
    "signature": "HMAC-SHA-256，小写十六进制 / lower-case hexadecimal digits",
}
_PROBLEMS = {
    "401": "凭证缺失、有误或已作废 / no credential, or one that is wrong or revoked",
    "413": "正文太大 / the body is too large",
    "415": "正文不是 JSON / the body is not JSON",
    "422": "字段不正确 / fields that can't be used",
    "429": "过于频繁，见 Retry-After / too often, see Retry-After",
    "503": "稍后再试，见 Retry-After / try again, see Retry-After",
}


def description(site: str) -> dict[str, Any]:
    """`site`: the address of the platform, without a slash at its end."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "实名制联调对接平台接口 / Interface of the platform", "version": "1"},
        "servers": [{"url": site}],
        "security": [{"system": []}],
        "paths": {"/api/v1/test-keys/verify": {"post": _verify()}},
        "components": {
            "securitySchemes": {"system": {"type": "http", "scheme": "bearer", "description": "市级系统的接入凭证"}},
            "schemas": {"Question": _question(), "Verdict": _verdict(), "Problem": _problem()},
        },
    }


def _verify() -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "operationId": "verifyTestKey",
        "summary": "核验企业请求的签名 / verify the signature of an enterprise's request",
        "parameters": [
            {"name": "Accept-Language", "in": "header", "schema": {"type": "string"}, "description": "zh 或 / or en"}
        ],
        "requestBody": {"required": True, "content": _json("Question")},
        "responses": {
            "200": {"description": "核验结果 / the verdict, whatever it is", "content": _json("Verdict")},
            **{status: {"description": about, "content": problem} for status, about in _PROBLEMS.items()},
        },
    }


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _question() -> dict[str, Any]:
    properties = {
        name: {"type": "string", "pattern": f"^{pattern}$", "description": _ABOUT[name]}
        for name, pattern in FIELDS.items()
    }
    return {"type": "object", "required": [*FIELDS], "properties": properties, "additionalProperties": False}


def _verdict() -> dict[str, Any]:
    told = "\n".join(f"- `{result}`: {sentence.zh} {sentence.en}" for result, sentence in SENTENCES.items())
    enterprise = {"name": {"type": "string"}, "credit_code": {"type": "string"}}
    return {
        "type": "object",
        "required": ["key_id", "result", "valid", "detail"],
        "properties": {
            "key_id": {"type": "string"},
            "result": {"type": "string", "enum": [str(result) for result in Result], "description": told},
            "valid": {"type": "boolean"},
            "detail": {"type": "string"},
            "enterprise": {"type": "object", "properties": enterprise, "description": "仅在有效时 / where valid only"},
            "application": {"type": "string", "description": "申请编号 / number of the application"},
            "expires_at": {"type": "string", "format": "date-time"},
        },
    }


def _problem() -> dict[str, Any]:
    field = {"field": {"type": "string"}, "detail": {"type": "string"}}
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": {"type": "object", "properties": field}},
        },
    }
