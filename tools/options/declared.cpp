// Asks every command what it declares, by having it begin with --help.
#include "tools/options/declared.h"

#include "data/builtin_templates.h"
#include "data/examples.h"
#include "engine/train/optimizer.h"
#include "model/method.h"
#include "tools/options/command.h"

namespace afina {

namespace {

// Sets who hears what --help would print, for as long as it lives.
class Listening {
 public:
  explicit Listening(const std::function<void(const Options&)>& hear) { Options::on_help = &hear; }
  ~Listening() { Options::on_help = nullptr; }
  Listening(const Listening&) = delete;
};

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (auto& [key, value] : map) keys.push_back(key);
  return keys;
}

}  // namespace

std::vector<Declared> declared_commands() {
  std::vector<Declared> all;
  for (auto& [name, command] : commands()) {
    Declared one{name, command.summary, {}, {}, {}};
    const std::function<void(const Options&)> hear = [&one](const Options& options) {
      one.intro = options.intro();
      one.leading = options.leading();
      one.options = options.all();
      for (Option& o : one.options) {
        o.set = nullptr;
        o.text = nullptr;
      }
    };
    const Listening listening(hear);
    command.run({"--help"});
    require(!one.options.empty(), "afina ", name, " --help shows no options");
    all.push_back(std::move(one));
  }
  return all;
}

bool Declared::takes(const std::string& option) const {
  for (const Option& o : options)
    if (o.name == option) return true;
  return false;
}

std::vector<std::string> choices_of(const Option& option) {
  std::vector<std::string> all = option.words;
  switch (option.names) {
    case Names::commands: return keys_of(commands());
    case Names::methods: return keys_of(methods());
    case Names::optimizers: return keys_of(optimizers());
    case Names::formats:
      for (const RecordFormat& format : record_formats()) all.push_back(format.name);
      return all;
    case Names::templates:
      for (const BuiltinTemplate& one : builtin_templates()) all.push_back(one.name);
      return all;
    case Names::nothing:
    case Names::files:
    case Names::folders: break;
  }
  return all;
}

std::string placeholder_of(const Option& option) {
  if (option.flag) return "";
  switch (option.names) {
    case Names::files: return "FILE";
    case Names::folders: return "FOLDER";
    case Names::commands: return "COMMAND";
    case Names::methods: return "METHOD";
    case Names::optimizers:
    case Names::formats:
    case Names::templates: return "NAME";
    case Names::nothing: break;
  }
  std::string words;
  for (const std::string& word : option.words) words += (words.empty() ? "" : "|") + word;
  return !words.empty() ? words : option.number ? "N" : "TEXT";
}

std::string brief(const std::string& help) {
  constexpr size_t most = 70;
  size_t end = help.size();
  for (const char* mark : {": ", "; ", " (", ", as ", ", such "})
    end = std::min(end, help.find(mark));
  if (end > most) end = help.rfind(' ', most);
  return help.substr(0, end);
}

}  // namespace afina
