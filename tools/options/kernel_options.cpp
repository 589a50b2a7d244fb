// Kernels by name, and choices from manifests.
#include "tools/options/kernel_options.h"

#include <algorithm>

#include "engine/choices.h"
#include "engine/kernel.h"
#include "engine/nearest.h"

namespace afina {

namespace {

constexpr Device devices[] = {Device::cuda, Device::emulated};
const std::string wished =
    "kernel ";  // how a --kernel is noted among the choices: "kernel attention" -> "flash"

std::vector<std::string> variants_of(const KernelSlot& slot) {
  std::vector<std::string> names;
  for (Device device : devices)
    slot.each(device, [&](const char* name, int, bool) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    });
  return names;
}
bool prefer(KernelSlot* slot, const std::string& variant) {
  bool found = false;
  if (slot)
    for (Device device : devices) found = slot->prefer(device, variant.c_str()) || found;
  return found;
}

}  // namespace

void prefer_kernels(const std::vector<std::string>& wishes) {
  for (const std::string& wish : wishes) {
    size_t equals = wish.find('=');
    require(
        equals != std::string::npos && equals > 0 && equals + 1 < wish.size(), "--kernel '", wish,
        "': expected slot=variant, such as attention=flash; 'afina inspect --kernels' lists them");
    std::string name = wish.substr(0, equals), variant = wish.substr(equals + 1);
    KernelSlot* slot = KernelSlot::find(name.c_str());
    if (!slot) {
      std::vector<std::string> known;
      for (const KernelSlot* s = KernelSlot::all(); s; s = s->next()) known.push_back(s->name());
      std::string close = nearest_word(name, known);
      fail("--kernel '", wish, "': there is no kernel '", name, "'",
           close.empty() ? "" : "; did you mean '" + close + "'?",
           " 'afina inspect --kernels' lists them");
    }
    if (!prefer(slot, variant)) {
      std::string known;
      for (const std::string& one : variants_of(*slot)) known += (known.empty() ? "" : ", ") + one;
      fail("--kernel '", wish, "': '", name, "' has no variant '", variant, "' for a GPU; it has ",
           known.empty() ? "none" : known);
    }
    for (const KernelLibrary& library : kernel_libraries())
      if (std::string why;
          library.variant == variant && present(Device::cuda) && !(why = library.missing()).empty())
        fail("--kernel '", wish, "': ", variant, " cannot be used: ", why);
    prefer(KernelSlot::find((name + "_backward").c_str()), variant);
    prefer(KernelSlot::find((name + "2").c_str()), variant);
    note_choice(wished + name, variant);
  }
}

void repeat_choices(const std::string& manifest) {
  Json json = parse_json_file(manifest);
  require(json.contains("choices") && json["choices"].is_object(), manifest,
          ": it holds no 'choices'; --repeat wants the manifest.json of a run");
  repeat_choices(json["choices"], manifest);
}

void repeat_choices(const Json& all, const std::string& where) {
  std::map<std::string, std::string> wanted;
  std::vector<std::string> wishes;
  for (auto& [what, chosen] : all.items()) {
    require(chosen.is_string(), where, ": choices: '", what, "' is not a text");
    if (what.starts_with(wished))
      wishes.push_back(what.substr(wished.size()) + "=" + chosen.get<std::string>());
    else wanted[what] = chosen.get<std::string>();
  }
  prefer_kernels(wishes);
  adopt_choices(wanted);
}

}  // namespace afina
