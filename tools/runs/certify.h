// Measures whether a written model is the trained one: the same tokens, answers and logits within
// what its storage explains.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/files/gguf.h"
#include "model/files/weight_errors.h"
#include "model/generate.h"
#include "tools/results/certificate.h"
#include "tools/runs/subject.h"

namespace afina {

// What models are compared on.
struct Questions {
  struct Row {
    std::vector<int32_t> tokens;
    std::vector<uint8_t> targets;  // which tokens count for the perplexity; never the first
  };
  struct Prompt {
    std::vector<Message> messages;  // empty: tokens drawn at random
    TemplateInput input;
    std::vector<int32_t> tokens;
  };
  std::vector<Row> rows;
  std::vector<Prompt> prompts;
  std::vector<std::string> texts;  // that both tokenizers must cut alike
  std::string described;
  std::vector<std::string> notes;
};

struct QuestionOptions {
  std::vector<std::string> texts;  // in place of held-out rows and built-in texts
  int64_t rows = 12;               // held-out rows at most

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("text", o.texts, Bits::keep,
      "a text to compare on, in place of held-out rows; once for each");
    v("rows", o.rows, Bits::keep, "held-out rows to compare on, at most");
  }
};

// The held-out rows and prompts of a run, where its data are still there; else texts, and tokens
// drawn at random where the model has no tokenizer. At most 1024 positions in all.
Questions make_questions(const Subject& subject, const QuestionOptions& options);

// What a model says to the questions: logits of each row (positions, vocabulary), and its likeliest
// answers.
struct Responses {
  std::vector<std::vector<float>> logits;
  std::vector<std::vector<int32_t>> answers;
};
// options: how to answer; nullptr: no answers, logits alone.
Responses respond(Model& model, const Questions& questions, const GenerateOptions* options);
LogitDifference difference(const Questions& questions, const Responses& before,
                           const Responses& after);

// The type in which each of the model's parameters (by name) was stored.
using StoredTypes = std::map<std::string, StoredType>;

// Adds to each of these parameters random noise of the size that rounding to its stored type has,
// and merges the adapters: what comes out differs from the model by what the storage alone
// explains.
// measured: of a type, where what was stored of it has less.
void round_at_random(Model& model, const StoredTypes& types,
                     const std::map<StoredType, double>& measured = {});

// Compares step by step; each call adds its checks to the certificate.
class Certifier {
 public:
  // Loads the trained model and asks it. The subject must outlive it.
  Certifier(Subject& subject, const QuestionOptions& options);
  // The trained model, until rounded() is called.
  Model& trained() { return *model_; }
  const ModelConfig& config() const { return config_; }  // of the trained model
  // Weights in a file, tensor by tensor, against the trained ones with what was trained merged into
  // them. Also says how the rounding is judged.
  void weights(FileWeights& written, Scales scales);
  // The same of an adapter that was read into `written`. file: its tensors, where they are stored
  // as parameters; factors: types of the factors of each weight.
  void adapter(Model& written, const StoredTensors* file, const std::vector<FactorType>& factors);
  // What rounding to these types explains. The trained model is gone afterwards.
  void rounded(const StoredTypes& types);
  // The written model as a stranger: its tokens and answers, and its logits against both. files: of
  // its tokenizer; nullptr: it has none. adapter: its folder, where only an adapter was written;
  // its template counts before that of `files`, and so does its tokenizer where it has one.
  void stranger(Model& written, const ModelFiles* files, const std::string& adapter = "");
  // The trained model's config with the file's weights, against the stranger: what the metadata
  // say.
  void form(const std::shared_ptr<const Gguf>& written);
  ExportCertificate certificate;

 private:
  void check(const std::string& name, const std::string& found, const std::string& bound,
             bool holds, const std::string& means);
  void add(const std::vector<WeightErrors>& all, const std::string& what);
  void compare_tokens(const ModelFiles& files, const std::string& adapter);
  void compare_vocabulary(const Tokenizer& theirs);
  void compare_logits();
  void compare_answers();
  void compare_with_base();
  Subject& subject_;
  Questions questions_;
  ModelConfig config_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Tokenizer> tokenizer_;  // null: the model has none
  GenerateOptions answering_;
  Responses before_, after_;
  std::map<StoredType, double> measured_;  // the largest relative error of each stored type
  bool exact_ = true;                      // everything is stored in f32
};

}  // namespace afina
