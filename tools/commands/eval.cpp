// eval: loss per target token over records, perplexity over plain text, and logits for comparison
// with other libraries.
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "data/tokenizer/utf8.h"
#include "engine/files/safetensors.h"
#include "model/merge.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/runs/adapters.h"
#include "tools/runs/dialogue.h"
#include "tools/runs/evaluate.h"
#include "tools/text/format.h"
#include "tools/text/table.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(Measures a model, with or without an adapter. Records are read as for training: the loss is
over the answers' tokens alone unless --train-on says otherwise.

  afina eval --model data/pocket --adapter runs/lora/adapter \
      --data data/samples/support.jsonl --out losses.jsonl

Perplexity of plain text, in windows of --length tokens that do not overlap, every token but a
window's first predicted:

  afina eval --model SmolLM2.gguf --data test.txt --windows --length 512 --tokens 8192

Logits of one text, to compare with another library (test/reference):

  afina eval --model data/pocket --text 'Good morning' --logits-out logits.safetensors

Several adapters, or sums of LoRAs, are loaded once beside each other, and a table has a row for the
base and for each of them:

  afina eval --model data/pocket --adapter runs/a/adapter --adapter runs/b/adapter \
      --adapter runs/a/adapter:0.5+runs/b/adapter:0.5 --data data/samples/support.jsonl)";

std::vector<int32_t> parse_ids(const std::string& text) {
  std::vector<int32_t> ids;
  for (const char *at = text.data(), *end = at + text.size();;) {
    int32_t id = 0;
    auto [after, error] = std::from_chars(at, end, id);
    require(error == std::errc() && (after == end || *after == ',') && id >= 0, "--ids '", text,
            "': expected token numbers with commas between them, as in 1,2,3");
    ids.push_back(id);
    if (after == end) return ids;
    at = after + 1;
  }
}

struct EvalOptions {
  std::string text, ids, logits_out, out;
  bool windows = false, merged = false;
  int64_t tokens = -1, batch = 8;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("out,o", o.out, Bits::keep, "JSONL file for the loss of every row", naming(Names::files));
    v("windows", o.windows, Bits::keep,
      "read --data as one plain text in windows of --length tokens");
    v("tokens", o.tokens, Bits::keep, "with --windows: use only the first so many tokens",
      shown("all"));
    v("batch", o.batch, Bits::keep, "rows at a time; the result does not depend on it");
    v("merged", o.merged, Bits::keep,
      "measure each adapter merged into the weights as well, which must change nothing but "
      "rounding");
    v("text", o.text, Bits::keep,
      "a text to measure in place of --data, after the token that begins texts where the model has "
      "one");
    v("ids", o.ids, Bits::keep, "token ids to measure in place of --data, as in 1,2,3");
    v("logits-out", o.logits_out, Bits::keep, "safetensors file for the logits of --text or --ids",
      naming(Names::files));
  }
};

// What is measured on.
struct Rows {
  Samples samples;
  std::vector<Example> examples;  // that the samples came from; none of windows
};

struct Eval : EvalOptions {
  LiveOptions load;
  ReadOptions read;

  void check() const {
    int sources = !read.path.empty() + !text.empty() + !ids.empty();
    if (sources != 1)
      throw UsageError("afina eval: give one of --data, --text and --ids; see 'afina eval --help'");
    if (windows && read.path.empty())
      throw UsageError("afina eval: --windows cuts the text of --data; give --data FILE.txt");
    if (tokens >= 0 && !windows) throw UsageError("afina eval: --tokens belongs to --windows");
    if (!logits_out.empty() && !read.path.empty())
      throw UsageError("afina eval: --logits-out writes the logits of one --text or of --ids");
    if (merged && read.path.empty())
      throw UsageError("afina eval: --merged measures the rows of --data; give --data FILE");
    if (!logits_out.empty() && load.adapters.size() > 1)
      throw UsageError(
          "afina eval: --logits-out writes the logits of one model; give one --adapter");
    if (merged && load.adapters.empty())
      throw UsageError("afina eval: --merged merges an adapter; give --adapter as well");
    require(tokens != 0 && tokens != 1, "--tokens ", tokens, ": expected at least 2");
    require(batch > 0 && batch <= 65536, "--batch ", batch, ": expected at least 1");
    require(logits_out.empty() || logits_out.ends_with(".safetensors"), "--logits-out ", logits_out,
            ": expected a name that ends in .safetensors");
    require_own_losses();
    require_own_logits();
  }

  // What lies under the name of a result may be somebody's data or weights: it is replaced only if
  // an earlier eval wrote it.
  void require_own_losses() const {
    if (out.empty() || !std::filesystem::exists(out)) return;
    const char* const advice =
        ": there is a file already, and 'afina eval' did not write it; name another with --out, or "
        "move it away";
    require(std::filesystem::is_regular_file(out), out, advice);
    std::ifstream file(out, std::ios::binary);
    std::string line(4096, '\0');
    file.read(line.data(), std::streamsize(line.size()));
    line.resize(size_t(file.gcount()));
    line.resize(std::min(line.size(), line.find('\n')));
    Json first;
    try {
      first = parse_json(line, out);
    } catch (const Error&) {}
    require(first.is_object() && first.contains("targets") && first.contains("loss") &&
                (first.contains("record") || first.contains("window")),
            out, advice);
  }
  void require_own_logits() const {
    if (logits_out.empty() || !std::filesystem::exists(logits_out)) return;
    bool own = false;
    try {
      const Safetensors file(logits_out);
      own = file.tensors().size() == 2 && file.find("input_ids") && file.find("logits");
    } catch (const Error&) {}
    require(own, logits_out,
            ": there is a file already, and 'afina eval' did not write it; name another with "
            "--logits-out, or move it away");
  }

  // Records in windows would be measured with their quotes and brackets.
  void require_plain_text(const std::string& text) const {
    std::string name = read.path;
    for (const char* ending : {".gz", ".zst", ".zstd"})
      if (name.ends_with(ending)) name.resize(name.rfind('.'));
    const size_t first = text.find_first_not_of(" \t\r\n");
    bool records = false;
    for (const char* ending : {".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".parquet"})
      records |= name.ends_with(ending);
    if (!name.ends_with(".txt") && first != text.npos && (text[first] == '{' || text[first] == '['))
      records |= text.find("\":") != text.npos;
    require(
        !records, read.path, ": --windows reads a plain text, and this is a file of records, ",
        "of which braces and field names would be measured too. Leave --windows out to measure ",
        "its answers, or write the text alone into a .txt file");
  }

  // The file as one text, without any special token, in windows.
  Samples windows_of(const Tokenizer& tokenizer, int64_t length) const {
    Samples samples;
    const std::string text = read_text(read.path, read.encoding);
    require_plain_text(text);
    std::vector<int32_t> all = tokenizer.encode(text, false);
    if (tokens > 0 && tokens < int64_t(all.size())) all.resize(size_t(tokens));
    samples.pad = std::max(0, tokenizer.pad());
    for (size_t from = 0; from + 1 < all.size(); from += size_t(length)) {
      Sample s;
      s.tokens.assign(all.begin() + int64_t(from),
                      all.begin() + std::min<int64_t>(int64_t(from) + length, int64_t(all.size())));
      s.trained.assign(s.tokens.size(), 1);
      s.trained[0] = 0;
      s.example = int64_t(samples.rows.size());
      samples.tokens += int64_t(s.tokens.size());
      samples.targets += int64_t(s.tokens.size()) - 1;
      samples.rows.push_back(std::move(s));
    }
    require(!samples.rows.empty(), read.path, ": fewer than two tokens");
    return samples;
  }

  // A line for each row; adapter: whose losses they are, empty for a single model.
  void write_losses(std::string& lines, const std::string& adapter, const Rows& rows,
                    const Evaluation& e) const {
    for (size_t i = 0; i < e.losses.size(); ++i) {
      Json line{{windows ? "window" : "record", rows.samples.rows[i].example},
                {"targets", e.tokens[i]},
                {"loss", e.losses[i]}};
      if (!adapter.empty()) line["adapter"] = adapter;
      if (!windows)
        line["place"] = valid_utf8(rows.examples[size_t(rows.samples.rows[i].example)].place);
      lines += to_text(line, -1) + "\n";
    }
  }

  // The rows as they are read with the template of this folder.
  Rows rows_of(const ModelFiles& files, const std::string& templates) const {
    Tokenizer tokenizer = tokenizer_of(files);
    Rows rows;
    rows.samples = windows ? windows_of(tokenizer, read.row_length(files.config))
                           : read.read(tokenizer, files.config, templates, &rows.examples);
    if (!windows) std::cout << rows.samples.summary() << "\n";
    for (const std::string& note : rows.samples.notes)
      std::cerr << "note: " << harmless(note) << "\n";
    return rows;
  }
  Evaluation measure(Model& model, const ModelFiles& files, const Rows& rows) const {
    const int64_t length = read.row_length(files.config);
    Evaluation e = evaluate(model, rows.samples, batch, length + length % 2);
    require(e.targets > 0, read.path, ": nothing to measure: no token is a target");
    return e;
  }
  static std::string perplexity(double loss) {
    std::ostringstream text;
    text.precision(6);
    text << std::exp(loss);
    return text.str();
  }

  void records(ModelFiles& files) const {
    OpenedModels models(files, load, merged);
    for (const std::string& note : models.notes()) std::cerr << "note: " << harmless(note) << "\n";
    std::string lines;
    if (models.live()) {
      all_of(models, files, lines);
    } else {
      const OpenedModels::Opened& only = models.adapters()[0];
      const Rows rows = rows_of(files, only.templates);
      const Evaluation e = measure(models.use(only), files, rows);
      Table table("lr");
      table.add({windows ? "windows" : "rows", format_grouped(int64_t(rows.samples.rows.size()))});
      table.add({"targets", format_grouped(e.targets)});
      table.add({"loss per target", format_loss(e.mean)});
      table.add({"perplexity", perplexity(e.mean)});
      table.print(std::cout);
      write_losses(lines, "", rows, e);
    }
    if (out.empty()) return;
    write_text_file(out, lines);
    std::cout << "losses of each: " << out << "\n";
  }

  // The base and every adapter, each with the template that it would have alone.
  void all_of(OpenedModels& models, ModelFiles& files, std::string& lines) const {
    std::vector<OpenedModels::Opened> all = models.adapters();
    all.insert(all.begin(), models.find(LiveAdapters::none));
    std::map<std::string, Rows> read_with;
    for (auto& one : all)
      if (!read_with.count(one.templates))
        read_with.emplace(one.templates, rows_of(files, one.templates));
    Table table("lrrrr");
    table.add(
        {"adapter", windows ? "windows" : "rows", "targets", "loss per target", "perplexity"});
    auto add = [&](const std::string& name, const Rows& rows, const Evaluation& e) {
      table.add({name, format_grouped(int64_t(rows.samples.rows.size())), format_grouped(e.targets),
                 format_loss(e.mean), perplexity(e.mean)});
      write_losses(lines, name, rows, e);
    };
    for (auto& one : all) {
      const Rows& rows = read_with.at(one.templates);
      Model& model = models.use(one);
      add(one.name, rows, measure(model, files, rows));
      if (!merged || one.name == LiveAdapters::none) continue;
      if (const std::string why = model.method->why_not_mergeable(); !why.empty()) {
        std::cerr << "note: " << harmless(one.name) << " cannot be merged: " << why << "\n";
        continue;
      }
      MergedAdapters weights(model);
      add(one.name + ", merged", rows, measure(model, files, rows));
      weights.unmerge();
    }
    table.print(std::cout);
  }

  // The loss of one text from its logits, every token a target but the first.
  static double loss_of(const Tensor& logits, const std::vector<int32_t>& row) {
    const std::vector<float> values = logits.values();
    const int64_t V = logits.columns();
    double sum = 0.;
    for (int64_t t = 0; t + 1 < int64_t(row.size()); ++t) {
      const float* at = values.data() + t * V;
      double most = *std::max_element(at, at + V), total = 0;
      for (int64_t v = 0; v < V; ++v) total += std::exp(double(at[v]) - most);
      sum += most + std::log(total) - double(at[row[size_t(t + 1)]]);
    }
    return sum / double(row.size() - 1);
  }

  // One text: its loss; its logits into a file.
  void one(ModelFiles& files) const {
    std::vector<int32_t> row =
        !ids.empty() ? parse_ids(ids) : prompt_tokens(tokenizer_of(files), text);
    require(!row.empty(), "--text is empty");
    const int64_t T = int64_t(row.size());
    OpenedModels models(files, load);
    for (const std::string& note : models.notes()) std::cerr << "note: " << harmless(note) << "\n";
    if (models.live() && logits_out.empty()) {
      require(T > 1, "--text: one token alone predicts nothing");
      Table table("lrr");
      table.add({"adapter", "tokens", "loss per token"});
      std::vector<OpenedModels::Opened> all = models.adapters();
      all.insert(all.begin(), models.find(LiveAdapters::none));
      for (auto& of : all) {
        Model& model = models.use(of);
        const Tensor logits = model.logits(make_inputs(row, 0, model.parameters->device));
        table.add({of.name, std::to_string(T), format_loss(loss_of(logits, row))});
      }
      return table.print(std::cout);
    }
    Model& model = models.use(models.adapters()[0]);
    Tensor logits = model.logits(make_inputs(row, 0, model.parameters->device));
    std::cout << T << " tokens";
    if (T > 1)
      std::cout << ", loss per token " << format_loss(loss_of(logits, row)) << " over " << T - 1
                << " predictions";
    std::cout << "\n";
    if (logits_out.empty()) return;
    const std::vector<float> values = logits.values();
    const int64_t V = logits.columns();
    SafetensorsWriter writer(logits_out);
    writer.declare("input_ids", StoredType::i32, {1, T});
    writer.declare("logits", StoredType::f32, {1, T, V});
    writer.write("input_ids", row.data(), row.size() * sizeof(int32_t));
    writer.write("logits", values.data(), values.size() * sizeof(float));
    writer.commit();
    std::cout << "logits (1, " << T << ", " << V << "): " << logits_out << "\n";
  }
};

int eval(const std::vector<std::string>& words) {
  Eval command;
  Options options("eval", intro);
  options.add("Model", command.load);
  options.add("Evaluation", command);
  options.add("Data", command.read);
  options.at("length").shown = ReadOptions::length_shown;
  if (!begin(options, words)) return 0;
  command.check();
  const ComputeScope scope = command.load.scope();
  ModelFiles files = open_model(command.load.model);
  if (command.read.path.empty()) command.one(files);
  else command.records(files);
  return 0;
}

REGISTER_COMMAND("eval", "loss and perplexity of a model on records or text", eval);

}  // namespace

}  // namespace afina
