// inspect: what a model is made of, what methods would train and hold in memory, its tensors, and
// the kernels that run here.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>

#include "engine/choices.h"
#include "engine/files/safetensors.h"
#include "engine/kernel.h"
#include "model/base_error.h"
#include "model/files/save.h"
#include "tools/foresight/predict.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/runs/load.h"
#include "tools/text/colour.h"
#include "tools/text/table.h"
#include "tools/text/wrap.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(Shows a model's parameters by module, what each --method would train and hold in memory, its
tokenizer and chat template.

  afina inspect --model data/pocket --method full --method lora:rank=8,targets=q_proj+v_proj
  afina inspect --model data/pocket --tensors
  afina inspect --kernels)";

// A line of words that may be wider than a terminal.
void print_line(const std::string& text) {
  std::cout << filled(text, size_t(stdout_columns()), 2) << "\n";
}

// Stands in for the files: only names are looked at, on a device without bytes, so that a large
// model is inspected at once.
struct NamesOnly : WeightSource {
  WeightSource& files;
  explicit NamesOnly(WeightSource& f) : files(f) {}
  void expect(const std::string& name, const Shape& shape, bool transposed) override {
    files.expect(name, shape, transposed);
  }
  void read(Parameter&) override {}
  bool has(const std::string& name) const override { return files.has(name); }
};

// "model.layers.3.mlp.up_proj.weight" -> "model.layers.*.mlp.up_proj"
std::string module_of(const std::string& name) {
  std::string path = name.substr(0, name.rfind('.')), out;
  for (size_t from = 0; from <= path.size();) {
    size_t to = std::min(path.find('.', from), path.size());
    std::string word = path.substr(from, to - from);
    bool number = !word.empty() && std::all_of(word.begin(), word.end(),
                                               [](char c) { return c >= '0' && c <= '9'; });
    out += (from ? "." : "") + (number ? "*" : word);
    from = to + 1;
  }
  return out;
}

struct Module {
  std::string path, shape;
  int64_t count = 0, parameters = 0, trained = 0;
};
std::vector<Module> modules_of(const Model& model) {
  std::vector<Module> all;
  for (const Parameter& p : model.parameters->all) {
    std::string path = module_of(p.name);
    auto found =
        std::find_if(all.begin(), all.end(), [&](const Module& m) { return m.path == path; });
    if (found == all.end()) found = all.insert(all.end(), {path, p.shape.text()});
    if (p.name.ends_with(".weight") || p.shape.text() == found->shape) ++found->count;
    found->parameters += p.shape.size();
    found->trained += p.trained ? p.shape.size() : 0;
  }
  return all;
}

// What a method needs whatever the batch: all but activations and workspace.
struct Needs {
  int64_t parameters = 0, trained = 0;
  MemoryBytes memory;
};

Needs needs_of(const Model& model, const MemoryBytes& memory) {
  Needs needs;
  for (const Parameter& p : model.parameters->all) {
    needs.parameters += p.shape.size();
    needs.trained += p.trained ? p.shape.size() : 0;
  }
  needs.memory = memory;
  return needs;
}

void print_modules(const Model& model, const Needs& needs, const std::string& method) {
  Table table("wrrrr");
  table.add({"Module", "Count", "Shape", "Parameters", "Trained"});
  for (const Module& m : modules_of(model))
    table.add({m.path, std::to_string(m.count), m.shape, format_grouped(m.parameters),
               m.trained ? format_grouped(m.trained) : "-"});
  table.add({"total", "", "", format_grouped(needs.parameters),
             needs.trained ? format_grouped(needs.trained) : "-"});
  table.print(std::cout, size_t(stdout_columns()));
  std::cout << "(trained: by " << method << ")\n\n";
}

void print_needs(const std::vector<std::string>& titles, const std::vector<Needs>& all,
                 const std::string& dtype) {
  Table table("l");
  auto row = [&](const std::string& name, auto text) {
    std::vector<std::string> cells{name};
    for (const Needs& needs : all) cells.push_back(text(needs));
    table.add(cells);
  };
  std::vector<std::string> head{"Memory in " + dtype};
  head.insert(head.end(), titles.begin(), titles.end());
  table.add(head);
  row("trained parameters", [](const Needs& n) { return format_count(double(n.trained)); });
  row("share of all",
      [](const Needs& n) { return format_percent(double(n.trained) / double(n.parameters)); });
  for (size_t p = 0; p < size_t(purpose_count); ++p)
    if (std::any_of(all.begin(), all.end(), [&](const Needs& n) { return n.memory.of[p] > 0; }))
      row(name(Purpose(p)), [&](const Needs& n) { return format_bytes(double(n.memory.of[p])); });
  row("together", [](const Needs& n) { return format_bytes(double(n.memory.peak())); });
  table.print(std::cout, size_t(stdout_columns()));
  print_line(
      "Activations come on top: they depend on --batch and --length; 'afina plan' predicts them.");
}

void print_facts(const ModelFiles& files) {
  const ModelConfig& c = files.config;
  std::ostringstream line;
  line << files.path << ": " << c.architecture << ", " << c.layers << " layers of width " << c.dim
       << ", " << c.heads << " heads of " << c.head_dim;
  if (c.kv_heads != c.heads) line << " (" << c.kv_heads << " for keys and values)";
  line << ", feed-forward " << c.ffn_dim << ", vocabulary " << format_grouped(c.vocabulary)
       << ", context " << format_grouped(c.context) << ", head "
       << (c.tied ? "tied to the embedding" : "of its own");
  print_line(line.str());
  for (const std::string& file : files.files)
    print_line("weights: " + file + ", " + format_bytes(double(std::filesystem::file_size(file))));
}

std::string token_text(const Tokenizer& tokenizer, int32_t id) {
  return id < 0 ? "none"
                : "'" + harmless(tokenizer.token_text(id)) + "' (" + std::to_string(id) + ")";
}
void print_tokenizer(const ModelFiles& files) {
  if (!files.gguf && !std::filesystem::exists(files.path + "/tokenizer.json")) {
    std::cout << "tokenizer: none (no tokenizer.json in the folder)\n";
    return;
  }
  Tokenizer t = tokenizer_of(files);
  std::ostringstream line;
  line << "tokenizer: " << format_grouped(t.size()) << " tokens, begin " << token_text(t, t.bos())
       << ", end " << token_text(t, t.eos()) << ", padding " << token_text(t, t.pad());
  const char* before = ", before every text ";
  for (int32_t id : t.before_text()) {
    line << before << token_text(t, id);
    before = " ";
  }
  print_line(line.str());
  for (const std::string& note : t.notes()) print_line("note: " + harmless(note));
  try {
    ChatTemplate chat = ChatTemplate::own(t);
    std::string names;
    for (const NamedTemplate& one : t.chat_templates())
      names += (names.empty() ? " (" : ", ") + harmless(one.name);
    print_line("chat template: " + chat.name() +
               (names.empty() ? " (the files have none)" : names + ")") + ", a turn ends with " +
               token_text(t, chat.end_of_turn()));
  } catch (const Error& e) { print_line("chat template: " + harmless(e.what())); }
}

void print_tensors(const ModelFiles& files) {
  Table table("wll");
  table.add({"Tensor", "Type", "Shape", "Bytes"});
  auto list = [&](const StoredTensors& tensors) {
    for (const StoredTensor& t : tensors)
      table.add({t.name, name(t.type), shape_text(t.shape), format_grouped(int64_t(t.bytes))});
  };
  if (files.gguf) list(files.gguf->tensors());
  else list(Safetensors(files.path).tensors());
  table.print(std::cout, size_t(stdout_columns()));
}

// Is a variant's library missing?
bool lacks_library(const std::string& variant) {
  for (const KernelLibrary& library : kernel_libraries())
    if (variant == library.variant) return !library.missing().empty();
  return false;
}

// The variants of a slot on a device, the preferred first.
std::string variants_of(const KernelSlot& slot, Device device) {
  struct Variant {
    std::string name;
    int rank;
    bool some;
  };
  std::vector<Variant> all;
  slot.each(device, [&](const char* variant, int rank, bool some) {
    all.push_back({variant, rank, some});
  });
  std::stable_sort(all.begin(), all.end(),
                   [](const Variant& a, const Variant& b) { return a.rank > b.rank; });
  std::string text, chosen = slot.runs_on(device) ? slot.chosen(device) : "";
  for (const Variant& v : all) {
    bool lacks = lacks_library(v.name);
    if (lacks && v.name == chosen) chosen = &v == &all.back() ? "" : (&v + 1)->name;
    text += (text.empty() ? "" : " ") + v.name + (v.name == chosen ? "*" : "") +
            (v.some ? "?" : "") + (lacks ? "!" : "");
  }
  return text;
}

// Every slot with its variants by device, and what decides among them.
void print_kernels() {
  std::vector<const KernelSlot*> slots;
  for (const KernelSlot* s = KernelSlot::all(); s; s = s->next()) slots.push_back(s);
  std::sort(slots.begin(), slots.end(),
            [](auto* a, auto* b) { return std::string(a->name()) < b->name(); });
  print_line(std::string("cpu: the instruction set decides: ") + name(isa()) +
             " (best here: " + name(best_isa()) + "; AFINA_ISA forces another)");
  for (Device device : {Device::cuda, Device::emulated}) {
    const char* why = why_absent(device);
    print_line(name(device) + std::string(": ") +
               (why ? "cannot be used: " : "the first that takes the arguments runs") +
               (why ? why : ""));
  }
  for (const KernelLibrary& library : kernel_libraries()) {
    std::string why = library.missing();
    print_line(library.variant + std::string(": ") +
               (why.empty() ? library.version() : "is not taken: " + why));
  }
  for (auto& [what, chosen] : choices())
    std::cout << "asked for: " << what << " as " << chosen << "\n";
  print_line(
      "* marks what runs, ? what takes some arguments alone, ! what cannot run here. Without a "
      "kernel an operation runs as its definition says.");
  Table table("llw");
  table.add({"Kernel", "Device", "Variants, the preferred first"});
  for (const KernelSlot* slot : slots)
    for (Device device : {Device::cpu, Device::cuda, Device::emulated})
      if (std::string variants = variants_of(*slot, device); !variants.empty())
        table.add({slot->name(), name(device), variants});
  table.print(std::cout, size_t(stdout_columns()));
}

// How far the matrices in --base are from the file's numbers, by module.
void print_base_errors(const std::vector<BaseError>& errors, BaseForm form) {
  struct Module {
    int64_t count = 0;
    double sum = 0., largest = 0., worst = 0.;
  };
  std::map<std::string, Module> modules;
  for (const BaseError& error : errors)
    for (const std::string& name : {module_of(error.name), std::string("all")}) {
      Module& m = modules[name];
      ++m.count;
      m.sum += error.relative * error.relative;
      m.largest = std::max(m.largest, error.relative);
      m.worst = std::max(m.worst, error.worst);
    }
  std::cout << "\nRelative error of the matrices in " << word_of(form)
            << ", root mean square (the worst 64 numbers beside it):\n";
  Table table("lrrrr");
  table.add({"Module", "Matrices", "error", "largest", "worst 64"});
  for (auto& [name, m] : modules)
    table.add({name, std::to_string(m.count),
               format_percent(std::sqrt(m.sum / double(std::max<int64_t>(1, m.count)))),
               format_percent(m.largest), format_percent(m.worst)});
  table.print(std::cout, size_t(stdout_columns()));
}

struct InspectOptions {
  std::vector<std::string> methods;
  bool tensors = false, kernels = false, base_error = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("method", o.methods, Bits::keep,
      "a method with its options, as compare takes them; several are shown side by side",
      naming(Names::methods));
    v("tensors", o.tensors, Bits::keep, "every tensor in the files: name, type, shape, bytes");
    v("base-error", o.base_error, Bits::keep,
      "how far the matrices in --base are from the numbers of the file; reads all of them");
    v("kernels", o.kernels, Bits::keep, "every kernel, its variants and the one that runs here");
  }
};

struct Inspect : InspectOptions {
  LoadOptions load;

  std::unique_ptr<Model> built(const ModelFiles& files, MethodSpec& spec) const {
    NamesOnly names(*files.source);
    BuildOptions options;
    options.dtype = matrix_dtype(load.dtype);
    options.base = load.storage();
    options.base.files = files.source.get();
    options.device = Device::shapes;  // no bytes: the model may be larger than this machine
    spec.options.erase("lr");         // as in the lines of compare
    return build_model(files.config, names, make_method(spec), options);
  }

  void model() const {
    const ComputeScope scope(load.dtype);
    ModelFiles files = open_model(load.model);
    print_facts(files);
    print_tokenizer(files);
    std::cout << "\n";
    if (tensors) return print_tensors(files);
    std::vector<std::string> asked = methods;
    if (asked.empty() && load.adapter.empty()) asked = {"full", "lora:rank=8"};
    if (methods.empty() && load.adapter.empty() && load.base != BaseForm::plain)
      asked = {"lora:rank=8"};
    std::vector<MethodSpec> specs;
    if (!load.adapter.empty()) {
      const AdapterFiles adapter = load_adapter(load.adapter);
      specs.push_back(adapter.method);
      specs.back().text = load.adapter;
      if (adapter.over)
        print_line(harmless(load.adapter) + ": trained over " + words_of(*adapter.over));
      if (const std::string other = over_another_base(adapter, load.storage()); !other.empty())
        print_line("note: " + harmless(other));
    }
    for (const std::string& text : asked) specs.push_back(parse_method(text));
    std::vector<Needs> all;
    std::vector<std::string> titles;
    for (MethodSpec& spec : specs) {
      const MemoryUse before = memory_use(Device::shapes);
      auto model = built(files, spec);
      all.push_back(needs_of(*model, memory_of_training(*model, RunOptions().train(1e-4), before)));
      if (titles.empty()) print_modules(*model, all[0], spec.text);
      titles.push_back(spec.text);
    }
    print_needs(titles, all, word_of(load.dtype));
    if (!base_error) return;
    require(load.base != BaseForm::plain,
            "--base-error: plain has none; name a form, as in --base nf4");
    const auto plain = built(files, specs[0]);
    print_base_errors(base_errors(*plain, *files.source, load.storage()), load.base);
  }
};

int inspect(const std::vector<std::string>& words) {
  Inspect command;
  Options options("inspect", intro);
  options.add("Model", command.load);
  options.at("model").required = false;
  options.at("adapter").help = "folder of an adapter: shows what it adds";
  options.at("dtype").help = "precision for the figures of memory: f32, bf16 or bf16-tiles";
  options.leave_out("device");
  options.add("What to show", command);
  if (!begin(options, words)) return 0;
  if (command.load.model.empty() && !command.kernels)
    throw UsageError(
        "afina inspect: nothing to look at; give --model, or --kernels; see 'afina inspect "
        "--help'");
  if (!command.load.model.empty()) command.model();
  if (command.kernels) print_kernels();
  return 0;
}

REGISTER_COMMAND("inspect", "parameters, tensors and memory of a model; kernels of this machine",
                 inspect);

}  // namespace

}  // namespace afina
