"""What endpoints say when they refuse, in the words of many: a table from words to our errors.

The status alone says little: accounts without credit come as 400, 402, 403 and 429, texts that are
too long as 400, 413, 422 and 500. So the words go first, where they are clear.
"""

from __future__ import annotations

import re
from typing import Any

from arboris.llm import errors

_MOST = 4_000  # characters of what is said; a refusal may quote the whole request
_NAMES = ("code", "type", "status", "param", "message", "msg", "status_msg", "error_msg", "detail",
          "base_resp", "errors")  # fmt: skip

# The first that matches counts. A rate limit may speak of a quota, never of a balance.
_WORDS: tuple[tuple[type[errors.LLMError], tuple[str, ...]], ...] = (
    (errors.NoCredit, (
        r"arrear", r"overdue", r"insufficient.{0,10}(balance|credit|fund)",
        r"(balance|credit).{0,40}(insufficient|too low|exhausted|is empty|not enough)",
        r"(balance|credit).{0,40}(ran out|used up|exceeded)",
        r"billing.?hard", r"out of credit", r"payment.?required", r"negative balance",
        r"not_?enough_?(balance|credit)", r"used all available credits", r"spending limit",
        r"free.?tier.?(of .{0,30})?(only|exhausted)", r"resourcepackexhausted",
        r"account.{0,20}in good standing", r"suspended.{0,60}(billing|balance)", r"余额不足",
        r"余额为", r"欠费", r"充值", r"(额度|配额).{0,6}(用完|用尽|耗尽|不足)",
        r"资源包.{0,8}(用尽|用完|耗尽|不足)", r"账户.{0,6}(异常|停用|余额)", r"餘額不足",
        r"欠費", r"\b1113\b", r"\b1008\b",
    )),
    (errors.PromptTooLong, (
        r"context.{0,14}(length|size|window|limit)", r"too_long", r"too.?large for model",
        r"prompt is too long", r"range of input length", r"input (is )?too (long|large)",
        r"too many (input )?tokens", r"longer than the maximum (model )?length",
        r"(exceed|larger|greater|longer).{0,60}(token limit|context|maximum number of tokens)",
        r"(exceed|larger|greater|longer).{0,60}max(imum)?.{0,12}(input|length|message|prompt)",
        r"(input|prompt|message|request).{0,30}(token|length|size).{0,40}(exceed|too|beyond|over)",
        r"reduce the length", r"string_above_max_length", r"max message tokens",
        r"max_?prompt_?tokens", r"上下文.{0,8}(长度|窗口|过长|超)",
        r"(输入|文本|内容|提示词?|请求|消息|prompt|tokens?|字符).{0,12}(过长|太长|超长|超过.{0,10}(长度|限制|上限|最大)|超出.{0,10}(长度|限制|上限|最大|范围)|超限)",
        r"(超过|超出).{0,12}(最大|上下文|输入|模型).{0,8}(长度|token|窗口|上限|限制)",
        r"上下文長度", r"\b1261\b", r"\b1039\b",
    )),
    (errors.Filtered, (
        r"content.?(filter|policy|management|moderation)", r"moderation", r"data_?inspection",
        r"inappropriate", r"sensitive.?content", r"sensitivecontent", r"risk.?(detect|control)",
        r"high risk", r"responsibleai", r"prohibited.?content", r"safety (system|polic|reason)",
        r"unsafe content", r"content.{0,20}unsafe", r"敏感", r"违规", r"不合规", r"不安全",
        r"违法", r"审核", r"安全策略", r"內容違規", r"\b1301\b", r"\b1026\b", r"\b1027\b",
    )),
    (errors.ModelUnknown, (
        r"model.?not.?(found|exist|open|support)", r"no such model", r"unknown model",
        r"not a valid model", r"invalid model",
        r"model.{0,80}(does not exist|not exist|not found|is not available)",
        r"模型.{0,40}(不存在|未找到|无法找到|不可用|未开通|无可用)", r"invalidendpointormodel",
        r"\b1211\b",
    )),
    (errors.KeyRefused, (
        r"(invalid|incorrect|wrong|expired|missing|no|unknown).{0,12}(api.?key|credential)",
        r"(invalid|incorrect|expired) token",
        r"api.?key.{0,20}(not valid|invalid|expired|incorrect|missing)", r"unauthori[sz]ed",
        r"authentication.?(fail|error)", r"api.?key.{0,12}(无效|错误|不正确|过期|失效)",
        r"身份验证", r"鉴权", r"认证失败", r"令牌.{0,8}(无效|过期|错误|不正确)", r"无效的?令牌",
        r"密钥.{0,8}(无效|错误)", r"无效的?.{0,6}密钥",
    )),
    (errors.Overloaded, (
        r"overload", r"engine_overloaded", r"server.?busy", r"at capacity",
        r"服务.{0,8}(繁忙|过载)", r"系统.{0,4}繁忙", r"(访问量|负载|请求量).{0,4}(过大|过高)",
        r"loading model", r"model is loading",
    )),
    (errors.RateLimited, (
        r"rate.?limit", r"too many requests", r"throttl", r"limit_requests", r"limit_burst_rate",
        r"(t|r)pm\b", r"per minute", r"requests? limit", r"retry in",
        r"请求.{0,8}(频繁|频率|过多|超限)", r"频率", r"限流", r"限速", r"并发", r"速率",
        r"稍后(再试|重试)",
    )),
)  # fmt: skip
_PATTERNS = tuple((kind, re.compile("|".join(words), re.IGNORECASE)) for kind, words in _WORDS)
# Under these statuses any words count; under 429 a "quota" may be one of a minute.
_QUOTA = re.compile(r"insufficient_quota|exceeded.{0,10}current.{0,2}quota|quota", re.IGNORECASE)
_OF_A_MINUTE = re.compile(
    r"rate.?limit|per.?minute|retry in|retry.?delay|allocated quota|\b[tr]pm\b|分钟|频",
    re.IGNORECASE,
)


def said(body: Any) -> str:
    """What an error says: its codes and sentences, and no more of the request than they quote."""
    if isinstance(body, dict):
        inner = body.get("error")
        named = [said(inner)] if inner else []
        named += [said(body[name]) for name in _NAMES if body.get(name)]
        metadata = body.get("metadata")  # what the endpoint's own endpoint said
        named += [said(metadata.get("raw"))] if isinstance(metadata, dict) else []
        return " ".join(named)[:_MOST]
    if isinstance(body, list) and any("error" in one for one in body if isinstance(one, dict)):
        return " ".join(map(said, body))[:_MOST]
    if isinstance(body, list):  # what a form's check found: where, and what
        places = [(one.get("loc"), one.get("msg")) for one in body if isinstance(one, dict)]
        return " ".join(f"{'.'.join(map(str, loc or ()))} {msg}" for loc, msg in places)[:_MOST]
    return str(body)[:_MOST] if isinstance(body, str | int) else ""


def kind_of(status: int | None, words: str) -> type[errors.LLMError] | None:
    """The error that an endpoint's words name; None where they name none.

    ``status``: of the answer; None within a stream.
    """
    found = next((kind for kind, pattern in _PATTERNS if pattern.search(words)), None)
    if found in (None, errors.RateLimited) and status in (None, 403, 429) and _QUOTA.search(words):
        return errors.RateLimited if _OF_A_MINUTE.search(words) else errors.NoCredit
    if status == 429 and found in (errors.PromptTooLong, errors.KeyRefused):
        return None  # tokens of a minute, not of a request
    if found is errors.RateLimited and status not in (None, 200, 400, 403, 429, 503):
        return None
    return found
