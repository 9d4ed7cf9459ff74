#!/usr/bin/env python3
"""Writes Tests/PromptingTests/Fixtures/answers.json: what transformers learns of conversations.

For each template and conversation: the prompt (apply_chat_template of all messages but the last, with
add_generation_prompt), the text (of all messages), what the text has beyond the prompt, and the parts of
it that {% generation %} marks. Templates are written for this project after the forms they are named for.

Usage: python3 scripts/prompting/make_goldens.py, with transformers 4.57
"""

import json
import os
import pathlib

from transformers.utils.chat_template_utils import render_jinja_template

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "Tests/PromptingTests/Fixtures/answers.json"

TEMPLATES = {
    "ChatML": """\
{%- for m in messages -%}
{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}""",
    "ChatML with marks": """\
{%- for m in messages -%}
{{ '<|im_start|>' + m.role + '\\n' }}
{%- if m.role == 'assistant' -%}{% generation %}{{ m.content + '<|im_end|>' }}{% endgeneration %}
{%- else -%}{{ m.content + '<|im_end|>' }}{%- endif -%}{{ '\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}""",
    "Llama 2": """\
{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set told = messages[0]['content'] %}
{% else %}{% set rest = messages %}{% set told = false %}{% endif %}
{% for m in rest %}
{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
{% if loop.index0 == 0 and told != false %}{% set content = '<<SYS>>\\n' + told + '\\n<</SYS>>\\n\\n' + m['content'] %}
{% else %}{% set content = m['content'] %}{% endif %}
{% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
{%- elif m['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}
{%- endfor %}""",
    "Llama 3": """\
{{- bos_token }}
{%- for m in messages %}
    {{- '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}""",
    "Zephyr": """\
{% for m in messages %}
{% if m['role'] == 'user' %}
{{ '<|user|>\\n' + m['content'] + eos_token }}
{% elif m['role'] == 'system' %}
{{ '<|system|>\\n' + m['content'] + eos_token }}
{% elif m['role'] == 'assistant' %}
{{ '<|assistant|>\\n'  + m['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}""",
    "Gemma": """\
{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}
{% for m in messages %}{% set role = 'model' if m['role'] == 'assistant' else m['role'] %}
{{ '<start_of_turn>' + role + '\\n' + m['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}
{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}""",
    "Phi 3": """\
{% for m in messages %}{% if m['role'] == 'user' %}{{ '<|user|>\\n' + m['content'] + '<|end|>\\n' }}
{%- elif m['role'] == 'system' %}{{ '<|system|>\\n' + m['content'] + '<|end|>\\n' }}
{%- else %}{{ '<|assistant|>\\n' + m['content'] + '<|end|>\\n' }}{% endif %}{% endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{%- else %}{{ eos_token }}{%- endif %}""",
    "Mistral": """\
{{ bos_token }}{% for m in messages %}
{%- if m['role'] == 'assistant' %}{{ ' ' + m['content'] | trim + eos_token }}
{%- else %}{{ '[INST] ' + m['content'] + ' [/INST]' }}{%- endif %}{% endfor %}""",
    "Plain turns": """\
{% for m in messages %}[{{ m.role }}] {{ m.content }}
{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}""",
    "Tools": """\
{%- if tools -%}TOOLS:{{ tools | tojson }}\\n{%- endif -%}
{%- for m in messages -%}<{{ m.role }}>{{ m.content }}</s>{%- endfor -%}
{%- if add_generation_prompt -%}<assistant>{%- endif -%}""",
    "Thoughts dropped": """\
{%- for m in messages -%}<|{{ m.role }}|>
{%- if m.role == 'assistant' and '</think>' in m.content -%}{{ m.content.split('</think>')[-1].lstrip() }}
{%- else -%}{{ m.content }}{%- endif -%}<|end|>
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}""",
    "Reasoning field": """\
{%- for m in messages -%}<|{{ m.role }}|>
{%- if m.reasoning_content is defined and loop.last -%}<think>{{ m.reasoning_content }}</think>{%- endif -%}
{{ m.content }}<|end|>
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}""",
}


def talk(*texts, system=None, **last):
    roles = ["user", "assistant"] * len(texts)
    turns = [{"role": role, "content": text} for role, text in zip(roles, texts)]
    turns[-1].update(last)
    return ([{"role": "system", "content": system}] if system else []) + turns


TALKS = [
    {"messages": talk("Who?", "Me.", "Why?", "Because.")},
    {"messages": talk("Name a river.", " The Inn.\n", system="Be brief.")},
    {"messages": talk("caf\u00e9 \U0001f469\u200d\U0001f680?", "<think>\nhm, \u00e7a\n</think>\n\nyes")},
    {"messages": talk("a", "b", "c", "d", reasoning_content="so"),
     "tools": [{"type": "function", "function": {"name": "look_up", "parameters": {}}}]},
]


def main():
    cases = []
    for name, template in TEMPLATES.items():
        for place, record in enumerate(TALKS):
            def render(messages, **options):
                texts, spans = render_jinja_template(
                    conversations=[messages], chat_template=template, tools=record.get("tools"),
                    bos_token="<s>", eos_token="</s>", **options)
                return texts[0], spans[0] if spans else []
            try:
                prompt, _ = render(record["messages"][:-1], add_generation_prompt=True)
                text, spans = render(record["messages"], return_assistant_tokens_mask=True)
            except Exception:
                cases.append({"template": name, "talk": place, "error": True})
                continue
            case = {"template": name, "talk": place, "prompt": prompt,
                    "learnt": text.removeprefix(prompt) if text.startswith(prompt) else None}
            marked = [text[start:end] for start, end in spans]
            if marked:
                case["marked"] = marked[-1]
            cases.append(case)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(
        {"templates": TEMPLATES, "talks": TALKS, "cases": cases}, indent=1, ensure_ascii=True) + "\n")
    print(f"{len(cases)} cases, {os.path.getsize(OUTPUT)} bytes")


if __name__ == "__main__":
    main()
