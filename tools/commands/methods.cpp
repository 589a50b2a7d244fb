// methods: which methods of fine-tuning there are, and what each does.
#include <iostream>

#include "engine/nearest.h"
#include "model/method.h"
#include "model/words.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/text/table.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(Lists the methods of fine-tuning. With a name, shows that method's card: the paper, the
formula, what it trains, its options, a learning rate to begin with, and what it does not promise.

  afina methods
  afina methods lora)";

const char* name_of(Promise promise) {
  switch (promise) {
    case Promise::starts_as_pretrained: return "starts as the pretrained model";
    case Promise::trains_what_it_says: return "changes what it trains and nothing else";
    case Promise::merges: return "merges into the weights";
    case Promise::checkpoints: return "gives the same gradients under checkpointing";
    case Promise::splits: return "gives the same gradients in micro-batches";
    case Promise::slope: return "its gradient is the slope of the loss";
    case Promise::stores: return "comes back from its files";
  }
  return "";
}

void list() {
  Table table("lllr");
  table.add({"Method", "Formula", "Trains", "Rate"});
  for (auto& [name, entry] : methods())
    table.add({name, entry.card.formula, entry.card.trains, number_text(entry.card.rate)});
  table.print(std::cout);
}

void show(const MethodCard& card) {
  Table table("ll");
  auto line = [&](const char* title, const std::string& text) {
    if (!text.empty()) table.add({title, text});
  };
  line("Method", card.name);
  line("Paper", card.paper);
  line("Formula", card.formula);
  line("Trains", card.trains);
  line("Options", card.options.empty() ? "none" : card.options);
  if (make_method({card.name, card.name, {}})->stored() != Stored::model)
    line("Beside it", beside_options);
  line("Needs", card.needs);
  line("Learning rate", number_text(card.rate) + ": " + card.rate_because);
  line("In PEFT", card.peft_type + (card.peft_flag.empty() ? "" : " with " + card.peft_flag));
  for (const NotPromised& n : card.not_promised)
    line("Does not hold", name_of(n.promise) + std::string(": ") + n.because);
  table.print(std::cout);
}

struct MethodsOptions {
  std::string name;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("name", o.name, Bits::keep, "the method to explain; '--name' may be left out",
      naming(Names::methods));
  }
};

int methods_command(const std::vector<std::string>& words) {
  MethodsOptions asked;
  Options options("methods", intro);
  options.add("Methods", asked);
  options.may_lead("name");
  if (!begin(options, words)) return 0;
  const std::string& name = asked.name;
  if (name.empty()) {
    list();
    return 0;
  }
  std::vector<std::string> known;
  for (auto& [each, entry] : methods()) known.push_back(each);
  auto found = methods().find(name);
  require(found != methods().end(), "unknown method '", name, "'", did_you_mean(name, known),
          "; known: ", joined(known));
  show(found->second.card);
  return 0;
}

}  // namespace

REGISTER_COMMAND("methods", "list the methods of fine-tuning, or explain one", methods_command);

}  // namespace afina
