// The known chat templates, written as the text before and after each turn.
#include "data/chat_layouts.h"

namespace afina {

namespace {

// ChatML with a default system text. With null there is none, and a template that contains a system
// text is not recognised as this one.
ChatLayout chatml(const char* name, const char* mark, const char* default_system) {
  return {.name = name,
          .marks = {"<|im_start|>", "<|im_end|>", mark},
          .others = default_system ? std::vector<const char*>{"<think>"}
                                   : std::vector<const char*>{"<think>", "reasoning_content",
                                                              "<|im_start|>system\n", "bos_token"},
          .system = {"<|im_start|>system\n", "<|im_end|>\n"},
          .user = {"<|im_start|>user\n", "<|im_end|>\n"},
          .assistant = "<|im_start|>assistant\n",
          .stop = "<|im_end|>",
          .gap = "\n",
          .default_system = default_system};
}

ChatLayout llama3(const char* name, const char* mark) {
  return {.name = name,
          .marks = {"<|start_header_id|>", "<|eot_id|>", mark},
          .begin = "{bos}",
          .system = {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"},
          .user = {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"},
          .assistant = "<|start_header_id|>assistant<|end_header_id|>\n\n",
          .stop = "<|eot_id|>",
          .trims = true};
}

// Since Llama 3.1 every conversation has a system turn with dates. Today's date is fixed to the one
// written in the template, so that the same data gives the same tokens every day.
ChatLayout llama31() {
  ChatLayout layout = llama3("llama-3.1", "Cutting Knowledge Date");
  layout.default_system = "";
  layout.system_lead = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
  return layout;
}

const ChatLayout llama2 = {.name = "llama-2",
                           .marks = {"[INST]", "<<SYS>>", "[/INST]"},
                           .system = {"<<SYS>>\n", "\n<</SYS>>\n\n"},
                           .user = {"{bos}[INST] ", " [/INST]"},
                           .lead = " ",
                           .stop = " {eos}",
                           .trims = true,
                           .system_in_user = true};

// TinyLlama-Chat uses this template too.
const ChatLayout zephyr = {.name = "zephyr",
                           .marks = {"<|user|>", "<|assistant|>", "<|system|>", "eos_token"},
                           .others = {"<|end|>", "bos_token"},
                           .system = {"<|system|>\n", "{eos}\n"},
                           .user = {"<|user|>\n", "{eos}\n"},
                           .assistant = "<|assistant|>\n",
                           .gap = "\n"};

const ChatLayout alpaca = {.name = "alpaca",
                           .marks = {"### Instruction:", "### Response:"},
                           .system = {"", "\n\n"},
                           .user = {"### Instruction:\n", "\n\n"},
                           .assistant = "### Response:\n",
                           .gap = "\n\n",
                           .default_system =
                               "Below is an instruction that describes a task. Write a response "
                               "that appropriately completes the request.",
                           .trims = true};

const ChatLayout plain = {.name = "plain", .separates_turns = true};

}  // namespace

const std::vector<ChatLayout>& chat_layouts() {
  static const std::vector<ChatLayout> all = {
      chatml("smollm2",
             "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
             "Face<|im_end|>",
             "You are a helpful AI assistant named SmolLM, trained by Hugging Face"),
      chatml("qwen2.5",
             "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful "
             "assistant.<|im_end|>",
             "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
      chatml("qwen2", "<|im_start|>system\nYou are a helpful assistant.<|im_end|>",
             "You are a helpful assistant."),
      chatml("qwen1.5", "<|im_start|>system\nYou are a helpful assistant<|im_end|>",
             "You are a helpful assistant"),
      chatml("chatml", "message", nullptr),
      llama31(),
      llama3("llama-3", "bos_token"),
      llama2,
      zephyr,
      alpaca,
      plain};
  return all;
}

}  // namespace afina
