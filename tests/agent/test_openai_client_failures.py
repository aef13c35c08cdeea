"""Which failure is which: a table of what servers really say."""

import json

import pytest

from agent.openai_client.failures import FailureKind, tell_apart


def said(message, **more):
    """OpenAI's form."""
    return json.dumps({"error": {"message": message, **more}})


def flat(message, **more):
    """The form of older vLLM and of SGLang."""
    return json.dumps({"object": "error", "message": message, **more})


TOO_LONG = {
    "openai": (
        400,
        said(
            "This model's maximum context length is 8192 tokens. However, your messages resulted "
            "in 9000 tokens. Please reduce the length of the messages.",
            type="invalid_request_error",
            param="messages",
            code="context_length_exceeded",
        ),
    ),
    "openai-code-alone": (400, said("Sorry.", code="context_length_exceeded")),
    "openai-configured": (
        400,
        said(
            "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in "
            "300000 tokens. Please reduce the length of the messages."
        ),
    ),
    "openai-window": (400, said("Your input exceeds the context window of this model.")),
    "vllm-0.4": (
        400,
        flat(
            "This model's maximum context length is 16384 tokens. However, you requested 19591 "
            "tokens (9591 in the messages, 10000 in the completion). Please reduce the length of "
            "the messages or completion.",
            type="BadRequestError",
            param=None,
            code=400,
        ),
    ),
    "vllm-0.9": (
        400,
        said(
            "'max_tokens' or 'max_completion_tokens' is too large: 8000. This model's maximum "
            "context length is 4096 tokens and your request has 2778 input tokens "
            "(8000 > 4096 - 2778). None",
            type="BadRequestError",
            code=400,
        ),
    ),
    "vllm-0.20": (
        400,
        said(
            "This model's maximum context length is 128000 tokens. However, you requested 65535 "
            "output tokens and your prompt contains at least 62466 input tokens, for a total of "
            "at least 128001 tokens."
        ),
    ),
    "vllm-decoder": (
        400,
        said(
            "The decoder prompt (length 8357) is longer than the maximum model length of 8192. "
            "Make sure that `max_model_len` is no smaller than the number of text tokens."
        ),
    ),
    "vllm-500": (500, said("The prompt (length 9) is longer than the maximum model length of 8")),
    "vllm-left": (400, said("max_tokens must be at least 1, got -186.")),
    "sglang": (
        400,
        flat(
            "The input (516368 tokens) is longer than the model's context length (262144 tokens)."
        ),
    ),
    "sglang-total": (
        400,
        flat(
            "Requested token count exceeds the model's maximum context length of 4096 tokens. You "
            "requested a total of 5000 tokens: 4000 tokens from the input messages and 1000 "
            "tokens for the completion."
        ),
    ),
    "sglang-input": (
        400,
        flat(
            "Input length (265330 tokens) exceeds the maximum allowed length (262138 tokens). Use "
            "a shorter input or enable --allow-auto-truncate."
        ),
    ),
    "llama.cpp": (
        400,
        said(
            "the request exceeds the available context size. try increasing the context size or "
            "enable context shift",
            code=400,
            type="exceed_context_size_error",
            n_prompt_tokens=1407,
            n_ctx=256,
        ),
    ),
    "llama.cpp-500": (
        500,
        said("the request exceeds the available context size, try increasing it", code=500),
    ),
    "llama.cpp-counts": (
        400,
        said("request (5000 tokens) exceeds the available context size (4096 tokens)"),
    ),
    "llama-cpp-python": (400, said("Requested tokens (2285) exceed context window of 2048")),
    "ollama": (400, said("prompt too long; exceeded max context length by 4021 tokens")),
    "ollama-input": (400, json.dumps({"error": "the input length exceeds the context length"})),
    "anthropic": (400, said("prompt is too long: 213462 tokens > 200000 maximum")),
    "anthropic-total": (
        400,
        said("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
    ),
    "gemini": (
        400,
        json.dumps(
            [
                {
                    "error": {
                        "code": 400,
                        "message": "The input token count (1196265) exceeds the maximum number of "
                        "tokens allowed (1048575).",
                        "status": "INVALID_ARGUMENT",
                    }
                }
            ]
        ),
    ),
    "xai": (
        400,
        said("This model's maximum prompt length is 131072 but the request contains 537812 tokens"),
    ),
    "groq": (413, said("Please reduce the length of the messages or completion.")),
    "openrouter": (
        400,
        said(
            "Provider returned error",
            code=400,
            metadata={"raw": '{"detail": "prompt is too long"}', "provider_name": "X"},
        ),
    ),
    "openrouter-200": (
        200,
        said("This endpoint's maximum context length is 32768 tokens. However, you", code=400),
    ),
    "mistral": (
        400,
        flat("Prompt contains 40000 tokens, too large for model with 32768 maximum context length"),
    ),
    "tgi": (
        422,
        json.dumps(
            {
                "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= "
                "4096. Given: 5000 `inputs` tokens and 1000 `max_new_tokens`",
                "error_type": "validation",
            }
        ),
    ),
    "bedrock": (400, said("Input is too long for requested model.")),
    "kimi": (400, said("Your request exceeded model token limit: 262144 (requested: 300000)")),
    "minimax": (400, said("invalid params, context window exceeds limit")),
    "copilot": (400, said("prompt token count of 200000 exceeds the limit of 128000")),
    "lm-studio": (
        400,
        json.dumps(
            {
                "error": "The number of tokens to keep from the initial prompt is greater than the "
                "context length. Try to load the model with a larger context length"
            }
        ),
    ),
    "qwen": (400, said("Range of input length should be [1, 129024]")),
    "litellm": (400, said("litellm.ContextWindowExceededError: no")),
    "plain-text": (413, "the prompt is too long"),
}


@pytest.mark.parametrize(("status", "body"), TOO_LONG.values(), ids=TOO_LONG)
def test_too_long(status, body):
    assert tell_apart(status, body).kind is FailureKind.CONTEXT


PAGE = "<!doctype html><html><head><title>nginx</title></head><body>It works</body></html>"
TABLE = [
    (401, said("Incorrect API key provided: sk-abc***xyz"), FailureKind.KEY),
    (403, said("Country not supported"), FailureKind.KEY),
    (403, PAGE, FailureKind.KEY),
    (402, said("Insufficient Balance"), FailureKind.CREDIT),
    (402, "", FailureKind.CREDIT),
    (429, said("You exceeded your current quota", code="insufficient_quota"), FailureKind.CREDIT),
    (429, said("exceeded", type="exceeded_current_quota_error"), FailureKind.CREDIT),
    (400, said("Your credit balance is too low to access the API"), FailureKind.CREDIT),
    (429, said("Rate limit reached: too many tokens per minute"), FailureKind.AGAIN),
    (429, said("You exceeded your current quota", status="RESOURCE_EXHAUSTED"), FailureKind.AGAIN),
    (429, said("Request too large for gpt-4o on tokens per min (TPM)"), FailureKind.REQUEST),
    (404, said("The model `x` does not exist", code="model_not_found"), FailureKind.MODEL),
    (404, said('model "x" not found, try pulling it first'), FailureKind.MODEL),
    (404, said("model: claude-9", type="not_found_error"), FailureKind.MODEL),
    (404, said("No endpoints found for x.", code=404), FailureKind.MODEL),
    (400, said("Model Not Exist"), FailureKind.MODEL),
    (400, said("foo/bar is not a valid model ID"), FailureKind.MODEL),
    (400, said("Invalid model: foo", type="invalid_model"), FailureKind.MODEL),
    (400, said("/chat/completions: Invalid model name passed in model=x"), FailureKind.MODEL),
    (404, json.dumps({"detail": "Not Found"}), FailureKind.PATH),
    (404, "404 page not found", FailureKind.PATH),
    (404, said("File Not Found", code=404, type="not_found_error"), FailureKind.PATH),
    (404, said("Invalid URL (POST /chat/completions)"), FailureKind.PATH),
    (404, PAGE.replace("works", "is a model"), FailureKind.PATH),
    (404, "", FailureKind.PATH),
    (405, json.dumps({"detail": "Method Not Allowed"}), FailureKind.PATH),
    (301, "", FailureKind.PATH),
    (501, "", FailureKind.PATH),
    (200, PAGE, FailureKind.PAGE),
    (200, "  \n<html>", FailureKind.PAGE),
    (200, "OK", FailureKind.PAGE),
    (200, '{"choices": [{"mess', FailureKind.AGAIN),
    (200, "", FailureKind.AGAIN),
    (200, said("overloaded", code=503), FailureKind.AGAIN),
    (200, said("overloaded", code="529"), FailureKind.AGAIN),
    (200, said("No such thing"), FailureKind.REQUEST),
    (200, "{}", FailureKind.REQUEST),
    (200, "null", FailureKind.REQUEST),
    (200, '"text"', FailureKind.REQUEST),
    (200, '{"hello": "world"}', FailureKind.REQUEST),
    (
        400,
        said("Unsupported parameter: 'max_tokens' is not supported", code="x"),
        FailureKind.PARAMETER,
    ),
    (400, said("no", code="unsupported_value", param="temperature"), FailureKind.PARAMETER),
    (400, said("Invalid value for 'top_p'"), FailureKind.REQUEST),
    (
        400,
        said("max_tokens is too large: 100000. This model supports at most 16384"),
        FailureKind.REQUEST,
    ),
    (400, said("The response was filtered", code="content_filter"), FailureKind.REQUEST),
    (400, "", FailureKind.REQUEST),
    (413, PAGE, FailureKind.REQUEST),
    (422, json.dumps({"detail": [{"msg": "Field required", "loc": ["x"]}]}), FailureKind.REQUEST),
    (408, "", FailureKind.AGAIN),
    (409, said("conflict"), FailureKind.AGAIN),
    (500, said("oops"), FailureKind.AGAIN),
    (502, PAGE, FailureKind.AGAIN),
    (503, said("Loading model", type="unavailable_error"), FailureKind.AGAIN),
    (524, "", FailureKind.AGAIN),
]


@pytest.mark.parametrize(("status", "body", "kind"), TABLE)
def test_others(status, body, kind):
    assert tell_apart(status, body).kind is kind


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (500, "Only one completion choice is allowed"),
        (400, "n must be 1 when using greedy sampling, got 3."),
        (400, "'n' : number must be at most 1"),
        (400, "Only n=1 is supported"),
        (400, "n must equal 1 (multi-choice is not supported)"),
    ],
)
def test_one_choice_only(status, message):
    assert tell_apart(status, said(message), n=3).kind is FailureKind.ONE_CHOICE
    assert tell_apart(status, said(message), n=1).kind is not FailureKind.ONE_CHOICE


def test_the_unsupported_parameter_n():
    body = said("no", code="unsupported_parameter", param="n")
    assert tell_apart(400, body, n=2).kind is FailureKind.ONE_CHOICE


def test_a_quoted_prompt_is_not_believed():
    """FastAPI quotes the whole input; others append it. It may well be about context lengths."""
    prompt = "Fix the error: prompt is too long: maximum context length exceeded"
    quoted = json.dumps({"detail": [{"msg": "Field required", "input": prompt}]})
    assert tell_apart(422, quoted).kind is FailureKind.REQUEST
    assert tell_apart(400, said("Bad value " + "x" * 3000 + prompt)).kind is FailureKind.REQUEST


@pytest.mark.parametrize(
    "body",
    [
        '{"error": null}',
        '{"error": []}',
        '{"error": [1, 2]}',
        '{"error": {"message": null, "code": [], "type": {}}}',
        '{"error": {"message": {"a": 1}, "metadata": []}}',
        '{"detail": [null, 1, {"msg": 2}]}',
        "[]",
        "[null]",
        "[[[]]]",
        "true",
        "1e999",
        '{"error": {"code": "٤"}}',
        "[" * 100_000,
    ],
)
@pytest.mark.parametrize("status", [200, 400, 404, 429, 500])
def test_any_shape_is_read(status, body):
    assert isinstance(tell_apart(status, body).kind, FailureKind)
