// methods: which methods of fine-tuning there are, and what each does.
#include <iostream>

#include "engine/nearest.h"
#include "model/method.h"
#include "model/words.h"
#include "tools/commands/method_tables.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/text/colour.h"
#include "tools/text/table.h"
#include "tools/text/wrap.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(Lists the methods of fine-tuning. With a name, shows that method's card: the paper, the
formula, what it trains, its options, a learning rate to begin with, and what it does not promise.

With --model it predicts what each costs on that model: parameters, FLOPs and memory of a step, and
what must be stored. A method with options of one's own is compared by 'afina plan'.

  afina methods
  afina methods lora
  afina methods --model data/pocket)";

void list() {
  Table table("lwr");
  table.add({"Method", "Formula, and what is trained", "Rate"});
  for (auto& [name, entry] : methods()) {
    const MethodCard& card = entry.card;
    table.add(
        {name,
         card.formula + "\n" + card.trains + (card.needs.empty() ? "" : "\nneeds " + card.needs),
         number_text(card.rate)});
  }
  table.print(std::cout, size_t(stdout_columns()));
  std::cout << "\n"
            << filled("Every method but full also takes " + std::string(beside_options) + ".",
                      size_t(stdout_columns()))
            << "\n";
}

void show(const MethodCard& card) {
  Table table("lw");
  auto line = [&](const char* title, const std::string& text) {
    if (!text.empty()) table.add({title, text});
  };
  line("Method", card.name);
  line("Paper", card.paper);
  line("Formula", card.formula);
  line("Trains", card.trains);
  line("Options", card.options.empty() ? "none" : card.options);
  line("Needs", card.needs);
  line("Learning rate", number_text(card.rate) + ": " + card.rate_because);
  line("In PEFT", card.peft_type + (card.peft_flag.empty() ? "" : " with " + card.peft_flag));
  for (const NotPromised& n : card.not_promised)
    line("Does not hold", name_of(n.promise) + std::string(": ") + n.because);
  table.print(std::cout, size_t(stdout_columns()));
}

struct MethodsOptions {
  std::string name, model;
  int64_t batch = 4, length = 256;
  bool markdown = false, refused = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("name", o.name, Bits::keep, "the method to explain; '--name' may be left out",
      naming(Names::methods));
    v("model,m", o.model, Bits::keep,
      "predict what each costs on this model: a folder (its config.json is enough) or .gguf file",
      naming(Names::files));
    v("batch", o.batch, Bits::keep, "rows of the step that is predicted");
    v("length", o.length, Bits::keep, "tokens of each of its rows");
    v("refused", o.refused, Bits::keep,
      "the kinds of adapters that PEFT has and afina does not read, in Markdown");
    v("markdown", o.markdown, Bits::keep, "print a document in Markdown (docs/methods.md)");
  }
};

// One step of every method with its default options, or of the one that is named.
void costs(const MethodsOptions& asked) {
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  model.path = asked.model;
  data.length = asked.length;
  run.batch = asked.batch;
  data.packing = OnOff::off;  // rows are full; methods with virtual tokens ask for it
  const ComputeScope scope = model.scope();
  std::vector<std::string> texts;
  for (auto& [name, entry] : methods())
    if (asked.name.empty() || name == asked.name || name == "full")
      // Which tokens are trained has no default.
      texts.push_back(entry.card.peft_type == "TRAINABLE_TOKENS" ? entry.card.tries[0] : name);
  const RunShape shape = shape_without_data(model, data, run);
  const std::vector<MethodCost> all = method_costs(shape, texts);
  if (asked.markdown) {
    std::string path = asked.model;
    while (path.ends_with("/")) path.pop_back();
    print_cost_document(std::cout, path.substr(path.rfind('/') + 1), shape, all);
  } else print_costs(std::cout, shape, all);
}

int methods_command(const std::vector<std::string>& words) {
  MethodsOptions asked;
  Options options("methods", intro);
  options.add("Methods", asked);
  options.may_lead("name");
  if (!begin(options, words)) return 0;
  if (asked.refused) {
    print_refused(std::cout);
    return 0;
  }
  const std::string& name = asked.name;
  if (asked.markdown && asked.model.empty()) print_cards(std::cout);
  else if (name.empty() && asked.model.empty()) list();
  if (name.empty() || asked.markdown) {
    if (!asked.model.empty()) costs(asked);
    return 0;
  }
  std::vector<std::string> known;
  for (auto& [each, entry] : methods()) known.push_back(each);
  auto found = methods().find(name);
  require(found != methods().end(), "unknown method '", name, "'", did_you_mean(name, known),
          "; known: ", joined(known));
  show(found->second.card);
  if (!asked.model.empty()) {
    std::cout << "\n";
    costs(asked);
  }
  return 0;
}

}  // namespace

REGISTER_COMMAND("methods", "list the methods of fine-tuning, or explain one", methods_command);

}  // namespace afina
