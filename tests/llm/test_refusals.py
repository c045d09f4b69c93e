"""What endpoints say when they refuse, and what it is called here."""

from __future__ import annotations

from typing import Any

import pytest

from arboris.llm import client_errors, errors, refusals
from arboris.llm.request_body import named_parts
from tests.llm.endpoint import Endpoint, Reply
from tests.llm.test_quirks import ask

Kind = type[errors.LLMError]

# status, code, message
SAID: list[tuple[Kind, int, str, str]] = [
    (
        errors.NoCredit,
        400,
        "Arrearage",
        "Access denied, please make sure your account is in good standing.",
    ),
    (
        errors.NoCredit,
        403,
        "AccountOverdueError",
        "The request failed because your account has an overdue balance.",
    ),
    (errors.NoCredit, 429, "1113", "您的账户已欠费，请充值后重试。"),
    (errors.NoCredit, 400, "", "账户余额不足"),
    (errors.NoCredit, 403, "30001", "Sorry, your account balance is insufficient"),
    (
        errors.NoCredit,
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the API.",
    ),
    (errors.NoCredit, 402, "unknown_error", "Insufficient Balance"),
    (
        errors.NoCredit,
        429,
        "exceeded_current_quota_error",
        "Your account is suspended, please check your plan and billing details",
    ),
    (
        errors.NoCredit,
        429,
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    (
        errors.NoCredit,
        403,
        "AllocationQuota.FreeTierOnly",
        "The free tier of the model has been exhausted.",
    ),
    (errors.NoCredit, 400, "", "资源包余量已用尽"),
    (
        errors.NoCredit,
        403,
        "",
        "Your team has used all available credits or reached its monthly spending limit.",
    ),
    (
        errors.RateLimited,
        429,
        "insufficient_quota",
        "Allocated quota exceeded, please increase your quota limit.",
    ),
    (errors.RateLimited, 429, "", "You exceeded your current quota. Please retry in 32.5s."),
    (errors.RateLimited, 429, "1302", "您当前使用该 API 的并发数过高，请降低并发。"),
    (
        errors.RateLimited,
        400,
        "Throttling.RateQuota",
        "Requests rate limit exceeded, please try again later.",
    ),
    (errors.RateLimited, 403, "", "请求过于频繁，请稍后再试"),
    (
        errors.PromptTooLong,
        400,
        "invalid_parameter_error",
        "Range of input length should be [1, 30720]",
    ),
    (errors.PromptTooLong, 400, "", "This model's maximum context length is 8192 tokens."),
    (errors.PromptTooLong, 400, "1261", "Prompt 超长"),
    (errors.PromptTooLong, 400, "", "输入内容超过模型最大上下文长度限制"),
    (
        errors.PromptTooLong,
        400,
        "",
        "Invalid request: Your request exceeded model token limit: 8192",
    ),
    (
        errors.PromptTooLong,
        400,
        "",
        "The input token count (120000) exceeds the maximum number of tokens allowed (32768).",
    ),
    (
        errors.PromptTooLong,
        400,
        "invalid_request_error",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ),
    (
        errors.PromptTooLong,
        400,
        "exceed_context_size_error",
        "the request exceeds the available context size",
    ),
    (
        errors.PromptTooLong,
        500,
        "",
        "The decoder prompt (length 9000) is longer than the maximum model length of 8192",
    ),
    (errors.PromptTooLong, 413, "", ""),
    (
        errors.Filtered,
        400,
        "data_inspection_failed",
        "Input data may contain inappropriate content.",
    ),
    (errors.Filtered, 400, "1301", "系统检测到输入或生成内容可能包含不安全或敏感内容"),
    (
        errors.Filtered,
        400,
        "content_filter",
        "The request was rejected because it was considered high risk",
    ),
    (
        errors.Filtered,
        400,
        "InputTextSensitiveContentDetected",
        "The input text may contain sensitive information",
    ),
    (errors.ModelUnknown, 400, "", "Model Not Exist"),
    (errors.ModelUnknown, 400, "1211", "模型不存在，请检查模型代码。"),
    (
        errors.ModelUnknown,
        404,
        "InvalidEndpointOrModel.NotFound",
        "The model or endpoint x does not exist",
    ),
    (errors.KeyRefused, 400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    (errors.KeyRefused, 401, "1000", "身份验证失败"),
    (errors.KeyRefused, 403, "", "无效的令牌"),
    (
        errors.Overloaded,
        429,
        "engine_overloaded_error",
        "The engine is currently overloaded, please try again later",
    ),
    (errors.Overloaded, 503, "", "Loading model"),
    (errors.Overloaded, 500, "", "服务繁忙，请稍后重试"),
    (errors.ServerFailed, 500, "internal_error", "internal stream error"),
    (errors.RequestRefused, 400, "InvalidParameter", "参数错误"),
]


@pytest.mark.parametrize(("kind", "status", "code", "message"), SAID)
def test_each_refusal_by_its_right_name(
    kind: Kind, status: int, code: str, message: str, endpoint: Endpoint
) -> None:
    endpoint.replies(Reply(status=status, error={"code": code, "message": message}))
    with pytest.raises(errors.LLMError) as failed:
        ask()
    assert type(failed.value) is kind
    assert message not in str(failed.value) or not message


BODIES: list[tuple[Kind, int | None, Any]] = [
    (errors.NoCredit, 400, {"code": "Arrearage", "message": "Access denied.", "request_id": "1"}),
    (errors.NoCredit, None, {"status_code": 1008, "status_msg": "insufficient balance"}),
    (errors.PromptTooLong, None, {"code": 1039, "message": "token limit"}),
    (errors.Filtered, None, {"code": 1027, "message": "output new_sensitive"}),
    (
        errors.RequestRefused,
        422,
        {"detail": [{"loc": ["body", "temperature"], "msg": "extra", "input": "余额不足"}]},
    ),
    (
        errors.NoCredit,
        500,
        {
            "error": {
                "message": "Provider returned error",
                "metadata": {"raw": '{"code": "Arrearage"}'},
            }
        },
    ),
    (errors.RateLimited, None, {"code": 429, "message": "Provider returned error"}),
]


def test_refusals_in_other_dress() -> None:
    for kind, status, body in BODIES:
        words = refusals.said(body)
        found = refusals.kind_of(status, words)
        if status is None:
            assert type(client_errors.in_the_stream(body)) is kind, body
        elif kind is errors.RequestRefused:
            assert found is None and named_parts(words) == {"temperature"}
        else:
            assert found is kind, body
