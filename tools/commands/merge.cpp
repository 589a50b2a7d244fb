// merge: adapters taken into the weights, or LoRAs added up to one, and a certificate that the
// result answers as they did apart.

#include <filesystem>
#include <iostream>

#include "data/chat_template.h"
#include "data/tokenizer/template_files.h"
#include "engine/blocks.h"
#include "engine/counted.h"
#include "engine/files/atomic_file.h"
#include "engine/random.h"
#include "model/files/carry.h"
#include "model/files/end_tokens.h"
#include "model/files/save.h"
#include "tools/commands/merge_certificate.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/runs/adapters.h"
#include "tools/runs/draft.h"
#include "tools/runs/replay.h"
#include "tools/text/format.h"

namespace afina {

// What is written: a whole model, or a LoRA.
enum class MergeAs : uint8_t { model, adapter };
template <>
struct WordList<MergeAs> {
  static constexpr std::pair<const char*, MergeAs> all[] = {{"model", MergeAs::model},
                                                            {"adapter", MergeAs::adapter}};
};

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    R"(Writes a model with an adapter taken into its weights: a Hugging Face folder that opens
anywhere. What was written is read again and compared with base and adapter on a few texts; where
they choose too many tokens differently (rounding to bf16 can swallow a small update) nothing is
kept and the exit status is 1. The table shows what the other stored dtype would do; the figures
are in certificate.json beside the model too.

  afina merge --model data/pocket --adapter runs/lora/adapter --out merged
  afina merge --model SmolLM2.gguf --adapter runs/lora/adapter --out merged --dtype bf16 \
      --text 'A sentence of your own field.'

LoRAs are added up with a weight for each, exactly, by putting their ranks beside each other; into
the model, or into one adapter that PEFT opens. Several --adapter are merged one by one, each into
a model of its own, OUT/NAME:

  afina merge --model data/pocket --adapter runs/a/adapter:0.5+runs/b/adapter:0.5 --out both
  afina merge --model data/pocket --adapter runs/a/adapter:0.5+runs/b/adapter:0.5 --out both \
      --as adapter)";

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

struct MergeOptions {
  std::string model, out;
  std::vector<std::string> adapters;
  Dtype dtype = Dtype::f32;
  MergeAs as = MergeAs::model;
  BaseForm base = BaseForm::plain;
  OnOff base_ends = OnOff::off;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("model,m", o.model, Bits::keep, "the base model: Hugging Face folder or .gguf file",
      required.naming(Names::files));
    v("adapter", o.adapters, Bits::keep,
      "the adapter's folder, or NAME=FOLDER; more than once: each into a model of its own. "
      "FOLDER:0.5+FOLDER:0.5 is a weighted sum of LoRAs",
      required.naming(Names::folders));
    v("out,o", o.out, Bits::keep, "folder for what is written; must not exist",
      required.naming(Names::folders));
    v("as", o.as, Bits::keep,
      "what to write: the merged model, or an adapter: the sum of LoRAs, or one that began as "
      "PiSSA "
      "or OLoRA, as one plain LoRA");
    v("dtype", o.dtype, Bits::keep, "dtype in which the merged model is stored: f32 or bf16");
    v("base", o.base, Bits::keep,
      "the form that the base had when the adapter was trained (--base of train): what is merged "
      "into are its numbers unpacked, not those of --model");
    v("base-ends", o.base_ends, Bits::keep, base_ends_help);
  }
  BaseStorage storage() const { return base_storage(base, base_ends); }
};
struct CertificateOptions {
  std::vector<std::string> texts;
  MergeBars bars;
  int64_t rows = 64;
  bool force = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("text", o.texts, Bits::keep,
      "a text to compare on in place of the built-in ones; once for each");
    v("rows", o.rows, Bits::keep, "compare on the first so many rows of --data");
    v("agreement", o.bars.least, Bits::keep,
      "smallest share of positions where the likeliest next token is the same");
    v("kl", o.bars.most_kl, Bits::keep, "largest Kullback-Leibler divergence per position, in nats",
      shown("any"));
    v("force", o.force, Bits::keep, "write even if they differ by more");
  }
};

struct Merge : MergeOptions {
  CertificateOptions certificate;
  ReadOptions read;

  void check(const Options& given) const {
    const double least = certificate.bars.least;
    require(least >= 0. && least <= 1., "--agreement ", least, ": expected a share from 0 to 1");
    require(!certificate.bars.most_kl || *certificate.bars.most_kl >= 0., "--kl ",
            certificate.bars.most_kl.value_or(0.), ": expected 0 or more");
    require(certificate.rows > 0, "--rows ", certificate.rows, ": expected at least 1");
    if (!read.path.empty() && !certificate.texts.empty())
      throw UsageError("afina merge: compare on --text or on the rows of --data, not on both");
    if (as == MergeAs::adapter && given.given("dtype"))
      throw UsageError(
          "afina merge: --dtype is that of a merged model; an adapter is stored in f32");
  }

  // What to compare on: rows of --data, the texts, or, where the folder has no tokenizer, tokens
  // drawn at random.
  MergeCertificate compared(const ModelFiles& files, bool has_tokenizer,
                            const std::string& templates) const {
    std::vector<std::vector<int32_t>> all;
    std::string on;
    if (!read.path.empty()) {
      require(has_tokenizer, files.path, ": has no tokenizer.json to read --data with");
      for (const Sample& row : read.read(tokenizer_of(files), files.config, templates).rows)
        if (int64_t(all.size()) < certificate.rows) all.push_back(row.tokens);
      on = counted(int64_t(all.size()), "row") + " of " + read.path;
      const size_t asked = all.size();
      all = rows_to_hold(std::move(all), files.config.vocabulary);
      if (all.size() < asked) on = "the first " + std::to_string(all.size()) + " of " + on;
    } else if (has_tokenizer) {
      Tokenizer tokenizer = tokenizer_of(files);
      const bool usual = certificate.texts.empty();
      for (const std::string& text : usual ? usual_texts : certificate.texts)
        all.push_back(tokenizer.encode(text));
      on = counted(int64_t(all.size()), usual ? "built-in text" : "text");
    } else {
      Random random(1, "merge", "tokens");
      for (uint64_t r = 0, at = 0; r < 5; ++r)
        for (all.emplace_back(); all.back().size() < 40; ++at)
          all.back().push_back(int32_t(random.below(at, uint32_t(files.config.vocabulary))));
      on = "5 rows of tokens drawn at random (the model has no tokenizer)";
    }
    for (auto& row : all) {
      require(!row.empty(), "--text: an empty text certifies nothing");
      row.resize(std::min(row.size(), size_t(files.config.context)));
    }
    return {all, on};
  }

  // With the chat template that lies beside the adapter, and the end of its turns (or of those of
  // the model's own template) among the tokens that others stop at.
  static void save_tokenizer(const Tokenizer& tokenizer, const std::string& templates,
                             const std::string& folder) {
    if (templates_of_folder(templates).empty() && tokenizer.chat_templates().empty()) {
      tokenizer.save(folder);
      return settle_end_tokens(folder, tokenizer.eos());
    }
    const ChatTemplate chat = ChatTemplate::choose({"", templates}, tokenizer);
    tokenizer.save(folder, chat.chosen() ? chat.source() : "");
    if (chat.end_of_turn() >= 0) add_end_token(folder, chat.end_of_turn());
  }

  // The weights that are in blocks of --base now.
  std::vector<Parameter*> in_base_form(Model& model) const {
    std::vector<Parameter*> all;
    if (base != BaseForm::plain && base != BaseForm::file)
      for (Parameter& p : model.parameters->all)
        if (p.value.blocks()) all.push_back(&p);
    return all;
  }
  // How the merged model would do in the form of the base again, which rounds what the adapters
  // changed.
  void compare_in_base_form(MergeCertificate& found, Model& merged,
                            const std::vector<Parameter*>& were_in_blocks) const {
    std::vector<std::pair<Parameter*, std::vector<float>>> kept;
    for (Parameter* p : were_in_blocks) {
      if (p->value.blocks()) continue;  // nothing was merged into it
      kept.emplace_back(p, p->value.values());
      p->assign(in_blocks(base, p->exact(), Dtype::f32, p->name).values().data());
    }
    if (!kept.empty()) found.add(word_of(base), false, merged);
    for (auto& [p, values] : kept) p->assign(values.data());
  }

  // The merged model in the folder, and how it would do in the other dtype.
  void write_model(MergeCertificate& found, const ModelFiles& files, std::unique_ptr<Model> adapted,
                   const AdapterChoice& choice, const std::string& templates,
                   const std::string& folder) const {
    const std::string why = adapted->method->why_not_mergeable();
    require(why.empty(), choice.combined ? choice.name : choice.parts[0].path,
            ": this adapter cannot be merged into the model: ", why);
    found.begin(*adapted);
    save_model(folder, *adapted, dtype, true);
    const std::vector<Parameter*> were_in_blocks = in_base_form(*adapted);
    merge_adapters(*adapted);
    compare_in_base_form(found, *adapted, were_in_blocks);
    const Dtype other = dtype == Dtype::f32 ? Dtype::bf16 : Dtype::f32;
    if (other == Dtype::bf16)
      for (Parameter& p : adapted->parameters->all) {
        p.unpack();
        std::vector<float> values = p.value.values();
        for (float& value : values) value = to_float(to_bf16(value));
        p.assign(values.data());
      }
    found.add(word_of(other), false, *adapted);
    adapted.reset();
    carry_small_files(files.path, folder);
    settle_end_tokens(folder, -1);
    const bool has_tokenizer = files.gguf || fs::exists(files.path + "/tokenizer.json");
    if (has_tokenizer) save_tokenizer(tokenizer_of(files), templates, folder);
    ModelFiles written = open_model(folder);
    found.add(word_of(dtype), true, *load_model(written, "", Dtype::f32));
  }

  // The sum as an adapter in the folder.
  static void write_adapter(MergeCertificate& found, const Model& base, const std::string& of_base,
                            std::unique_ptr<Model> sum, const AdapterChoice& choice,
                            const std::string& templates, const std::string& folder) {
    found.begin(*sum);
    std::string named;
    for (const AdapterChoice::Part& part : choice.parts) {
      const std::string own = load_adapter(part.path).base;
      if (&part != choice.parts.data() && own != named) named.clear();
      else named = own;
    }
    save_adapter(folder, *sum, named.empty() ? of_base : named, over_of(choice));
    sum.reset();
    if (!templates.empty()) write_templates(folder, templates_of_folder(templates));
    AdapterChoice written;
    written.parts = {{folder, 1.}};
    found.add("an adapter", true, *load_beside(base, written));
  }

  // The form of the base that an adapter was trained over: as its file says, else as its run's
  // manifest does where that lies beside it.
  static TrainedOver over_of(const std::string& adapter) {
    if (const TrainedOver own = load_adapter(adapter).over) return own;
    const std::string where =
        fs::path(adapter + "/.").parent_path().parent_path() / "manifest.json";
    std::error_code ignored;
    if (fs::exists(where, ignored)) try {
        return parse_replay(parse_json_file(where), where).model.storage();
      } catch (const Error&) {  // a manifest of something else
      }
    return {};
  }
  // The same of a sum: nothing where its parts do not agree.
  static TrainedOver over_of(const AdapterChoice& choice) {
    const TrainedOver first = over_of(choice.parts[0].path);
    for (const AdapterChoice::Part& part : choice.parts)
      if (const TrainedOver over = over_of(part.path); !over || !same_numbers(*first, *over))
        return {};
    return first;
  }
  // A warning for each that was trained over another form than it is merged into.
  std::vector<std::string> other_bases(const AdapterChoice& choice) const {
    std::vector<std::string> all;
    bool differ = false;
    const TrainedOver first = over_of(choice.parts[0].path);
    for (const AdapterChoice::Part& part : choice.parts) {
      AdapterFiles adapter = load_adapter(part.path);
      adapter.over = over_of(part.path);
      differ = differ || (first && adapter.over && !same_numbers(*first, *adapter.over));
      if (std::string other = over_another_base(adapter, storage()); !other.empty())
        all.push_back(std::move(other));
    }
    if (differ) all.push_back("they were trained over several forms: no base is that of all");
    return all;
  }

  // One adapter, or one sum; an Error where it is beyond a bar and not forced.
  void one(ModelFiles& files, const Model* beside, AdapterChoice choice,
           const std::string& folder) const {
    if (as == MergeAs::adapter) choice.combined = true;  // a single one as a plain LoRA
    const std::string templates = template_folder(choice);
    const bool has_tokenizer = files.gguf || fs::exists(files.path + "/tokenizer.json");
    MergeCertificate found = compared(files, has_tokenizer, templates);
    std::unique_ptr<Model> adapted =
        beside ? load_beside(*beside, choice)
               : load_model(files, choice.parts[0].path, Dtype::f32, Device::cpu, storage());
    const std::string method = adapted->method->in_force.name;
    if (as == MergeAs::adapter)
      write_adapter(found, *beside, files.path, std::move(adapted), choice, templates, folder);
    else write_model(found, files, std::move(adapted), choice, templates, folder);
    found.print(std::cout, heading(choice));
    for (const std::string& other : other_bases(choice))
      std::cout << "warning: " << harmless(other) << "\n";
    if (const Agreement* again = found.stored_as(word_of(base)))
      std::cout << "warning: stored in " << word_of(base)
                << " again it would be another model than the one trained: "
                << format_loss(again->kl) << " nats per position away, "
                << format_percent(again->share()) << " of the next tokens the same. Keep it in f32 "
                << "or bf16, or keep the adapter beside the base\n";
    Json about{{"base", files.path}, {"method", method}};
    if (base != BaseForm::plain) about["base_form"] = word_of(base);
    Json parts = Json::array();
    for (const AdapterChoice::Part& part : choice.parts)
      parts.push_back(Json{{"path", part.path}, {"weight", part.weight}});
    about["adapters"] = parts;
    write_text_file(folder + "/certificate.json",
                    to_text(found.json(certificate.bars, about)) + "\n");
    const std::string beyond = found.beyond(certificate.bars);
    if (beyond.empty()) return;
    require(certificate.force, choice.combined ? choice.name : choice.parts[0].path, ": ", beyond,
            ": nothing was written. Rounding can swallow a small update: try --dtype f32, or keep ",
            "the adapter apart (--force writes all the same)");
    std::cout << "warning: " << beyond << "; written because of --force\n";
  }

  std::string heading(const AdapterChoice& choice) const {
    const std::string name =
        choice.combined || adapters.size() > 1 ? " " + harmless(choice.name) : "";
    return as == MergeAs::adapter ? "Written as one LoRA" + name + ", against the sum"
                                  : "Merged" + name + ", against base and adapter";
  }

  int go() const {
    const std::vector<AdapterChoice> choices = adapter_choices(adapters);
    ModelFiles files = open_model(model);
    Draft draft(out);
    std::unique_ptr<Model> under;
    if (choices.size() > 1 || choices[0].combined || as == MergeAs::adapter)
      under = load_model(files, "", Dtype::f32, Device::cpu, storage());
    for (const AdapterChoice& choice : choices)
      one(files, under.get(), choice,
          choices.size() > 1 ? draft.path() + "/" + choice.name : draft.path());
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
  options.add("Data", command.read);
  options.at("length").shown = ReadOptions::length_shown;
  if (!begin(options, words)) return 0;
  command.check(options);
  return command.go();
}

REGISTER_COMMAND("merge", "take an adapter into a model's weights, with a certificate", merge);

}  // namespace

}  // namespace afina
