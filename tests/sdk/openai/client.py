"""OpenAI's own library through Doorward: `client.py BASE_URL WHAT MODEL`, a capability as its key in OPENAI_API_KEY.

Prints one JSON document of what it was given.
"""

import json
import sys

import openai


def chat(client, model, **more):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    return client.chat.completions.create(model=model, messages=messages, **more)


TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def models(client, _):
    return [model.id for model in client.models.list()]


def completion(client, model):
    answer = chat(client, model)
    choice = answer.choices[0]
    return {"text": choice.message.content, "reason": choice.finish_reason, "tokens": answer.usage.total_tokens}


def stream(client, model):
    pieces, tokens, reason = [], None, None
    for chunk in chat(client, model, stream=True, stream_options={"include_usage": True}):
        for choice in chunk.choices:
            pieces.append(choice.delta.content or "")
            reason = choice.finish_reason or reason
        tokens = chunk.usage.total_tokens if chunk.usage else tokens
    return {"text": "".join(pieces), "pieces": len([piece for piece in pieces if piece]), "reason": reason, "tokens": tokens}


def tools(client, model):
    call = chat(client, model, tools=[TOOL]).choices[0].message.tool_calls[0]
    return {"id": call.id, "name": call.function.name, "arguments": json.loads(call.function.arguments)}


def tools_stream(client, model):
    name, arguments, reason = None, "", None
    for chunk in chat(client, model, tools=[TOOL], stream=True):
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or []:
                name = call.function.name or name
                arguments += call.function.arguments or ""
            reason = choice.finish_reason or reason
    return {"name": name, "arguments": json.loads(arguments), "reason": reason}


def response(client, model):
    answer = client.responses.create(model=model, input="hi")
    return {"text": answer.output_text, "id": answer.id, "tokens": answer.usage.total_tokens}


def response_stream(client, model):
    pieces, last = [], None
    for event in client.responses.create(model=model, input="hi", stream=True):
        if event.type == "response.output_text.delta":
            pieces.append(event.delta)
        last = event.type
    return {"text": "".join(pieces), "last": last}


def embedding(client, model):
    answer = client.embeddings.create(model=model, input="hi", encoding_format="float")
    return {"vector": answer.data[0].embedding, "tokens": answer.usage.total_tokens}


def refused(client, model):
    try:
        chat(client, model)
    except openai.APIStatusError as error:
        return {"kind": type(error).__name__, "status": error.status_code, "code": error.code, "message": error.message}
    return {}


def limited(client, model):
    try:
        chat(client, model, max_tokens=5)
    except openai.APIStatusError as error:
        return {"kind": type(error).__name__, "status": error.status_code, "message": error.message}
    return {}


def main():
    base_url, what, model = sys.argv[1:]
    client = openai.OpenAI(base_url=base_url, timeout=30, max_retries=2)
    print(json.dumps(globals()[what](client, model)))


if __name__ == "__main__":
    main()
