// Chat templates that come with afina, as Jinja texts.
#include "data/builtin_templates.h"

namespace afina {

namespace {

// In the loop over the messages: a role that the template has no place for is an error.
constexpr const char* known_roles =
    R"({%- set first_system = message.role == 'system' and loop.first -%}
{%- if message.role not in ['user', 'assistant'] and not first_system -%}
{{- raise_exception('a message has the role "' ~ message.role ~ '" at place ' ~ loop.index ~
    '; expected user or assistant, and system only as the first') -}}
{%- endif -%}
)";
constexpr const char* no_system = "not messages or messages[0].role != 'system'";

// ChatML; with a system text of its own for conversations that have none.
std::string chatml(const std::string& system) {
  std::string text;
  if (!system.empty())
    text = std::string("{%- if ") + no_system + " -%}\n{{- '<|im_start|>system\\n" + system +
           "<|im_end|>\\n' -}}\n{%- endif -%}\n";
  return text + "{%- for message in messages -%}\n" + known_roles +
         R"({{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\n' -}}
{%- endif -%}
)";
}

// Since Llama 3.1 every conversation has a system turn with dates. Today's is the one that Meta's
// own template falls back to, so that the same data gives the same tokens every day.
std::string llama3(bool dated) {
  std::string text = "{{- bos_token -}}\n";
  if (dated)
    text +=
        R"({{- '<|start_header_id|>system<|end_header_id|>\n\n' -}}
{{- 'Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n' -}}
{%- if messages and messages[0].role == 'system' -%}
{{- messages[0].content | trim -}}
{%- endif -%}
{{- '<|eot_id|>' -}}
)";
  text += std::string("{%- for message in messages -%}\n") + known_roles;
  if (dated) text += "{%- if message.role != 'system' -%}\n";
  text +=
      R"({{- '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' -}}
{{- message.content | trim + '<|eot_id|>' -}}
)";
  if (dated) text += "{%- endif -%}\n";
  return text + R"({%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
{%- endif -%}
)";
}

// The system text is part of the first user's turn.
std::string llama2() {
  return std::string("{%- set ns = namespace(system='') -%}\n{%- for message in messages -%}\n") +
         known_roles + R"({%- if message.role == 'system' -%}
{%- set ns.system = '<<SYS>>\n' + message.content + '\n<</SYS>>\n\n' -%}
{%- elif message.role == 'user' -%}
{{- bos_token + '[INST] ' + (ns.system + message.content) | trim + ' [/INST]' -}}
{%- set ns.system = '' -%}
{%- else -%}
{{- ' ' + message.content | trim + ' ' + eos_token -}}
{%- endif -%}
{%- endfor -%}
)";
}

// TinyLlama-Chat uses this template too.
std::string zephyr() {
  return std::string("{%- for message in messages -%}\n") + known_roles +
         R"({{- '<|' + message.role + '|>\n' + message.content + eos_token + '\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|assistant|>\n' -}}
{%- endif -%}
)";
}

std::string alpaca() {
  return std::string("{%- if ") + no_system + R"( -%}
{{- 'Below is an instruction that describes a task. ' -}}
{{- 'Write a response that appropriately completes the request.\n\n' -}}
{%- endif -%}
{%- for message in messages -%}
)" + known_roles +
         R"({%- if message.role == 'system' -%}
{{- message.content | trim + '\n\n' -}}
{%- elif message.role == 'user' -%}
{{- '### Instruction:\n' + message.content | trim + '\n\n' -}}
{%- else -%}
{{- '### Response:\n' + message.content | trim + eos_token + '\n\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '### Response:\n' -}}
{%- endif -%}
)";
}

// No marks at all: a turn that does not end in white space is followed by a newline, an answer by
// the end-of-text token.
std::string plain() {
  return std::string("{%- set ns = namespace(last='') -%}\n{%- for message in messages -%}\n") +
         known_roles + R"({%- if ns.last and ns.last not in ' \t\r\n' -%}
{{- '\n' -}}
{%- set ns.last = '\n' -%}
{%- endif -%}
{{- message.content -}}
{%- if message.role == 'assistant' -%}
{{- eos_token -}}
{%- set ns.last = '' -%}
{%- elif message.content -%}
{%- set ns.last = message.content[-1] -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt and ns.last and ns.last not in ' \t\r\n' -%}
{{- '\n' -}}
{%- endif -%}
)";
}

}  // namespace

const std::vector<BuiltinTemplate>& builtin_templates() {
  static const std::vector<BuiltinTemplate> all = {
      {"smollm2", chatml("You are a helpful AI assistant named SmolLM, trained by Hugging Face")},
      {"qwen2.5", chatml("You are Qwen, created by Alibaba Cloud. You are a helpful assistant.")},
      {"qwen2", chatml("You are a helpful assistant.")},
      {"qwen1.5", chatml("You are a helpful assistant")},
      {"chatml", chatml("")},
      {"llama-3.1", llama3(true)},
      {"llama-3", llama3(false)},
      {"llama-2", llama2()},
      {"zephyr", zephyr()},
      {"alpaca", alpaca()},
      {"plain", plain()}};
  return all;
}

const BuiltinTemplate* builtin_template(const std::string& name) {
  for (auto& one : builtin_templates())
    if (one.name == name) return &one;
  return nullptr;
}

std::string builtin_template_names() {
  std::string text;
  for (auto& one : builtin_templates()) text += (text.empty() ? "" : ", ") + one.name;
  return text;
}

}  // namespace afina
