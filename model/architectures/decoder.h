// A decoder: embedding, blocks of attention and MLP on a residual stream, norm, head. Almost every
// language model of today is one; a file of this folder says in a DecoderForm which.
#pragma once
#include <functional>

#include "model/model.h"
#include "model/rope_table.h"

namespace afina {

enum class NormKind : uint8_t {
  rms,
  rms_plus_one,  // RMSNorm whose weights are stored less 1 (Gemma)
  layer          // LayerNorm with bias
};
// Of each head, of each head with weights of its own (LayerNorm without bias, StableLM 2 12B), or
// of all heads together.
enum class QkNorm : uint8_t { none, head, own_of_head, whole };
enum class QkvForm : uint8_t {
  apart,   // three layers
  joined,  // one layer: all queries, all keys, all values (Phi-3)
  by_head  // one layer: query, key and value of each head in turn (GPT-NeoX)
};
enum class MlpForm : uint8_t {
  gated,         // down(act(gate x) · up x)
  gated_joined,  // the same with gate and up in one layer (Phi-3)
  plain          // down(act(up x))
};
enum class Activation : uint8_t { silu, gelu, gelu_tanh, relu };

// The layers of an MLP, as files call them.
struct MlpNames {
  const char *gate = "gate_proj", *up = "up_proj", *gate_up = "gate_up_proj", *down = "down_proj";
};

// Experts (Shazeer et al., 2017; Mixtral): each token's MLP is the weighted sum of those of the
// `chosen` experts that its router finds most probable.
struct ExpertForm {
  int64_t count = 0, chosen = 0, width = 0;  // count 0: none
  bool normalise = true;                     // the weights of the chosen sum to 1
  double loss_factor = 0.;   // of the router's loss (Fedus et al., 2021, (4) to (6)); 0: none
  std::vector<bool> layers;  // which layers have experts
  const char *router = "gate", *experts = "experts";
  MlpNames names;
};

struct DecoderForm {
  // Parts of parameters' names, as files have them. An empty norm does not exist.
  struct {
    const char *root = "model", *tokens = "embed_tokens", *layers = "layers", *norm = "norm",
               *head = "lm_head";
    const char *attention = "self_attn", *query = "q_proj", *key = "k_proj", *value = "v_proj",
               *joined = "qkv_proj", *output = "o_proj", *query_norm = "q_norm",
               *key_norm = "k_norm";
    const char* mlp = "mlp";
    MlpNames of_mlp;
    const char *before_attention = "input_layernorm", *after_attention = "",
               *before_mlp = "post_attention_layernorm", *after_mlp = "";
  } names;
  struct {
    bool qkv = false, output = false, up = false, down = false;
  } bias;

  NormKind norm = NormKind::rms;
  QkNorm qk_norm = QkNorm::none;
  QkvForm qkv = QkvForm::apart;
  MlpForm mlp = MlpForm::gated;
  Activation activation = Activation::silu;
  ExpertForm experts;
  // Attention and MLP read the same stream, and both are added to it. Without a norm before the
  // MLP, it reads what attention reads.
  bool parallel = false;

  double attention_scale = 0.;                         // of the scores; 0: 1 / sqrt(head_dim)
  double attention_cap = 0.;                           // caps the scores (AttentionForm); 0: none
  double embedding_factor = 1., residual_factor = 1.;  // of embeddings, and of each branch
  double logit_factor = 1.;                            // of the final hidden states

  std::vector<RopeForm> ropes;  // the kinds of rotary embedding that occur
  std::vector<int> rope;        // of each layer: its index in ropes, or -1 for none
  std::vector<int64_t> window;  // of each layer: how many keys a query sees; 0: all
};

// Reads the sizes that all decoders' configs have into `c`, with transformers' defaults where these
// are not the obvious ones, and begins a form: no rotary embedding and no window anywhere.
struct DecoderDefaults {
  int64_t kv_heads = 0;      // where num_key_value_heads is absent; 0: as many as heads
  int64_t head_dim = 0;      // where head_dim is absent; 0: hidden_size / heads
  bool own_head_dim = true;  // the config may have a head_dim
  const char* eps_key = "rms_norm_eps";
  double eps = 1e-6;
  bool tied = false;
  const char* activation_key = "hidden_act";
  const char* activation = "silu";
};
DecoderForm begin_decoder(ConfigReader& config, ModelConfig& c,
                          const DecoderDefaults& defaults = {});

// Gives every layer this rotary embedding.
void rope_everywhere(DecoderForm& form, const ModelConfig& c, const RopeForm& rope);
// The `layer_types` of the config, or, where it has none, `otherwise(layer)`: which layers slide.
std::vector<bool> sliding_layers(ConfigReader& config, const ModelConfig& c,
                                 const std::function<bool(int64_t)>& otherwise);
// Gives layers that slide this window, in tokens; 0: the config has none, an Error if a layer
// slides. A window that the context never fills changes nothing and is left out, so that attention
// stays plain.
void slide(const ConfigReader& config, DecoderForm& form, const ModelConfig& c,
           const std::vector<bool>& layers, int64_t window);
// The key `sliding_window`: `otherwise` where it is absent, 0 where it is null.
int64_t read_window(ConfigReader& config, int64_t otherwise);

// The entry of the registry for an architecture that is described by `read`.
using ReadDecoder = DecoderForm (*)(ConfigReader& config, ModelConfig& c);
Architecture decoder_architecture(ReadDecoder read, const char* hf_class, GgufForm gguf = {});

}  // namespace afina

#define REGISTER_DECODER(name, ...)                                   \
  [[maybe_unused]] static const bool registered_architecture_##name = \
      (::afina::architectures()[#name] = ::afina::decoder_architecture(__VA_ARGS__), true)
