// merge: an adapter taken into the weights, and a certificate that the result answers as the two
// did apart.
#include "model/merge.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "data/chat_template.h"
#include "data/tokenizer/template_files.h"
#include "engine/files/folder.h"
#include "engine/random.h"
#include "model/files/carry.h"
#include "model/files/end_tokens.h"
#include "model/files/save.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/runs/load.h"
#include "tools/text/table.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    R"(Writes a model with an adapter taken into its weights: a Hugging Face folder that opens
anywhere. What was written is read again and compared with base and adapter on a few texts; where
they choose too many tokens differently (rounding to bf16 can swallow a small update) nothing is
kept and the exit status is 1.

  afina merge --model data/pocket --adapter runs/lora/adapter --out merged
  afina merge --model SmolLM2.gguf --adapter runs/lora/adapter --out merged --dtype bf16 \
      --text 'A sentence of your own field.')";

const std::vector<std::string> usual_texts = {
    "Good morning. I ordered a lamp three weeks ago and it has not arrived yet. Could you tell me "
    "where it is and when I may expect it?",
    "The river rises in the mountains, passes two old mill towns and reaches the sea after ninety "
    "kilometres. In spring it floods the "
    "meadows.",
    "Tom has 14 apples. He gives 5 of them to Ana and buys 8 more. How many apples does he have "
    "now? 14 - 5 = 9, and 9 + 8 = 17.",
    "Buenos días. ¿Podría decirme a qué hora abre la biblioteca los sábados? Gracias por su ayuda.",
    "def total(prices, tax):\n    return sum(prices) * (1 + tax)\n\nprint(total([2.5, 4.0], "
    "0.1))\n"};

// A folder that is gone at the end unless it was kept under another name.
class Draft {
 public:
  explicit Draft(const std::string& out)
      : out_(out), path_(out + ".draft-" + std::to_string(getpid())) {
    require(!out.empty(), "--out: the name of a folder is expected, and it is empty");
    std::error_code ignored;  // said when the draft is made
    require(!fs::exists(fs::symlink_status(out, ignored)), out,
            ": exists already; choose another --out");
    clear_abandoned();
    make_folder(path_, "choose another --out");
  }
  ~Draft() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(path_, ignored);
  }
  Draft(const Draft&) = delete;
  const std::string& path() const { return path_; }
  void keep() {
    std::error_code failed;
    fs::rename(path_, out_, failed);  // over nothing: not over what came there meanwhile
    require(!failed, out_, ": the merged model could not get this name (", failed.message(),
            "), as when another process has written there meanwhile; choose another --out");
    kept_ = true;
  }

 private:
  // Drafts of the same result whose processes were stopped before they could take them away.
  void clear_abandoned() const {
    const fs::path result = fs::absolute(out_);
    const std::string begin = result.filename().string() + ".draft-";
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(result.parent_path(), ignored)) {
      const std::string name = entry.path().filename().string();
      const std::string number = name.starts_with(begin) ? name.substr(begin.size()) : "";
      const bool digits = !number.empty() && number.size() < 10 &&
                          number.find_first_not_of("0123456789") == number.npos;
      if (digits && kill(pid_t(std::stol(number)), 0) != 0 && errno == ESRCH)
        fs::remove_all(entry.path(), ignored);
    }
  }
  std::string out_, path_;
  bool kept_ = false;
};

struct MergeOptions {
  std::string model, adapter, out;
  Dtype dtype = Dtype::f32;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("model,m", o.model, Bits::keep, "the base model: Hugging Face folder or .gguf file",
      required.naming(Names::files));
    v("adapter", o.adapter, Bits::keep, "the adapter's folder", required.naming(Names::folders));
    v("out,o", o.out, Bits::keep, "folder for the merged model; must not exist",
      required.naming(Names::folders));
    v("dtype", o.dtype, Bits::keep, "dtype in which the merged model is stored: f32 or bf16");
  }
};
struct CertificateOptions {
  std::vector<std::string> texts;
  double least = 0.99;
  bool force = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("text", o.texts, Bits::keep,
      "a text to compare on in place of the built-in ones; once for each");
    v("agreement", o.least, Bits::keep,
      "smallest share of positions where the likeliest next token is the same");
    v("force", o.force, Bits::keep, "write even if fewer agree");
  }
};

struct Merge : MergeOptions {
  CertificateOptions certificate;

  // Tokens of the texts; where the folder has no tokenizer, tokens drawn at random.
  std::vector<std::vector<int32_t>> rows(const ModelFiles& files, bool has_tokenizer) const {
    std::vector<std::vector<int32_t>> all;
    if (has_tokenizer) {
      Tokenizer tokenizer = tokenizer_of(files);
      for (const std::string& text : certificate.texts.empty() ? usual_texts : certificate.texts)
        all.push_back(tokenizer.encode(text));
    } else {
      Random random(1, "merge", "tokens");
      for (uint64_t r = 0, at = 0; r < 5; ++r)
        for (all.emplace_back(); all.back().size() < 40; ++at)
          all.back().push_back(int32_t(random.below(at, uint32_t(files.config.vocabulary))));
    }
    for (auto& row : all) {
      require(!row.empty(), "--text: an empty text certifies nothing");
      row.resize(std::min(row.size(), size_t(files.config.context)));
    }
    return all;
  }

  Agreement certify(const std::vector<std::vector<int32_t>>& rows,
                    const std::vector<Tensor>& before, Model& after) const {
    Agreement sum;
    for (size_t i = 0; i < rows.size(); ++i) {
      Agreement a = agreement(before[i], after.logits(make_inputs(rows[i])));
      sum.largest_difference = std::max(sum.largest_difference, a.largest_difference);
      sum.largest_logit = std::max(sum.largest_logit, a.largest_logit);
      sum.kl += a.kl * double(a.positions);
      sum.positions += a.positions;
      sum.same_choice += a.same_choice;
    }
    sum.kl /= double(sum.positions);
    return sum;
  }

  void print(const Agreement& a, const std::string& on) const {
    auto number = [](double x) {
      std::ostringstream text;
      text.precision(3);
      text << x;
      return text.str();
    };
    double share = double(a.same_choice) / double(a.positions);
    std::cout << "Merged as " << word_of(dtype) << " and read again, against base and adapter, on "
              << on << ":\n";
    Table table("lll");
    table.add({"  largest |Δlogit|", number(a.largest_difference),
               "of logits up to " + number(a.largest_logit)});
    table.add({"  KL per position", number(a.kl), "nats"});
    table.add(
        {"  same next token", format_percent(share),
         std::to_string(a.same_choice) + " of " + std::to_string(a.positions) + " positions"});
    table.print(std::cout);
  }

  // With the chat template that lies beside the adapter, and the end of its turns (or of those of
  // the model's own template) among the tokens that others stop at.
  void save_tokenizer(const Tokenizer& tokenizer, const std::string& folder) const {
    if (templates_of_folder(adapter).empty() && tokenizer.chat_templates().empty()) {
      tokenizer.save(folder);
      return settle_end_tokens(folder, tokenizer.eos());
    }
    const ChatTemplate chat = ChatTemplate::choose({"", adapter}, tokenizer);
    tokenizer.save(folder, chat.chosen() ? chat.source() : "");
    if (chat.end_of_turn() >= 0) add_end_token(folder, chat.end_of_turn());
  }

  int go() const {
    const double least = certificate.least;
    require(least >= 0. && least <= 1., "--agreement ", least, ": expected a share from 0 to 1");
    ModelFiles files = open_model(model);
    bool has_tokenizer = files.gguf || fs::exists(files.path + "/tokenizer.json");
    std::vector<std::vector<int32_t>> texts_as_tokens = rows(files, has_tokenizer);
    Draft draft(out);
    std::vector<Tensor> before;
    {
      auto adapted = load_model(files, adapter, Dtype::f32);
      std::string why = adapted->method->why_not_mergeable();
      require(why.empty(), adapter, ": this adapter cannot be merged into the model: ", why);
      for (auto& row : texts_as_tokens) before.push_back(adapted->logits(make_inputs(row)));
      save_model(draft.path(), *adapted, dtype, true);
    }
    carry_small_files(files.path, draft.path());
    settle_end_tokens(draft.path(), -1);
    if (has_tokenizer) save_tokenizer(tokenizer_of(files), draft.path());
    ModelFiles written = open_model(draft.path());
    Agreement a = certify(texts_as_tokens, before, *load_model(written, "", Dtype::f32));
    print(a, std::to_string(texts_as_tokens.size()) +
                 (has_tokenizer ? " texts"
                                : " rows of tokens drawn at random (the model has no tokenizer)"));
    if (double(a.same_choice) < least * double(a.positions)) {
      std::string why = std::string("the merged model, stored as ") + word_of(dtype) +
                        ", chooses the same next token in fewer than " + format_percent(least) +
                        " of the positions";
      require(certificate.force, why,
              ": nothing was written. Rounding can swallow a small update: try --dtype f32, or "
              "keep the adapter apart (--force writes all "
              "the same)");
      std::cout << "warning: " << why << "; written because of --force\n";
    }
    draft.keep();
    std::cout << "written to " << out << "\n";
    return 0;
  }
};

int merge(const std::vector<std::string>& words) {
  Merge command;
  Options options("merge", intro);
  options.add("Merging", command);
  options.add("Certificate", command.certificate);
  return begin(options, words) ? command.go() : 0;
}

REGISTER_COMMAND("merge", "take an adapter into a model's weights, with a certificate", merge);

}  // namespace

}  // namespace afina
