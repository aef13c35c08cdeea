"""The model client for OpenAI-compatible servers: vLLM, SGLang, llama.cpp, Ollama, hosted APIs.

| file | holds |
|---|---|
| `client.py` | `OpenAIClient`: a request goes out, a response or one of four errors comes back |
| `transport.py` | one HTTP exchange as a value; the only file that imports `openai` |
| `failures.py` | which failure an answer is: a pure function over status and body |
| `completions.py` | a chat completion's JSON → choices and usage, in any shape |
| `models.py` | the list of models → facts; what to say when one is missing |
| `address.py` | base URL and key: what is sent, what may be shown |
| `retry.py` | waiting: backoff, Retry-After, the budget |
"""

from agent.openai_client.client import OpenAIClient

__all__ = ["OpenAIClient"]
