// The certificate of a written model: what it was compared with, what came out, and whether that is
// within what its storage explains.
#pragma once
#include <string>
#include <vector>

#include "engine/files/json_value.h"

namespace afina {

// Differences of two models' logits on the same tokens.
struct LogitDifference {
  int64_t positions = 0, same_choice = 0;  // same_choice: where the likeliest token is the same
  double largest = 0.;                     // max |Δlogit|
  double rms = 0.;                         // root mean square of Δlogit
  double deviation = 0.;                   // standard deviation of the first model's logits
  double kl = 0., worst_kl = 0.;           // Kullback-Leibler divergence, nats: mean, largest
  // exp of the mean loss of the tokens that follow, in each model; targets: how many they are.
  double perplexity_before = 0., perplexity_after = 0.;
  int64_t targets = 0;
};

// The tensors of one stored type: their relative root mean square error.
struct StoredError {
  std::string type, what, where;  // what: "weights"; where: the tensor that is worst by its bound
  int64_t tensors = 0;
  double error = 0., bound = 0.;
  // The numbers with a common scale, or the single number, that are worst by their bound: root mean
  // square error.
  std::string place;
  double part = 0., part_bound = 0.;
};

struct AnswerPair {
  std::string prompt, before, after;
  int64_t same = 0, tokens = 0;  // of the first model's tokens, those before the first difference
};

struct CertificateCheck {
  std::string name, found, bound, means;  // means: what it shows, in a sentence
  bool holds = true;
};

struct CertifiedFile {
  std::string name, sha256;  // without its folder
  int64_t bytes = 0;
};

struct ExportCertificate {
  std::string file, sha256;  // what was written (its main file), without its folder
  int64_t bytes = 0;
  std::vector<CertifiedFile> files;    // all of it: shards, parts, config, tokenizer
  std::string form;                    // "gguf", "hf", "peft", "gguf-lora"
  std::string trained;                 // the model that it is compared with
  std::string rows, created, version;  // rows: what it was compared on
  LogitDifference logits;              // trained against written
  LogitDifference rounding;            // trained against itself with rounding of the same size
  bool has_effect = false;
  double effect_kl = 0.;  // of the trained model from its base, mean per position
  std::vector<StoredError> stored;
  std::vector<AnswerPair> answers;
  std::vector<CertificateCheck> checks;
  std::vector<std::string> notes;
  bool accepted = false;  // written although a check does not hold

  bool holds() const;
};

// For certificate.json.
OrderedJson to_json(const ExportCertificate& certificate);

}  // namespace afina
