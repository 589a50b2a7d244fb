// The language of a text, by function words of some languages and by script.
#include <array>
#include <unordered_map>

#include "data/checks/words.h"
#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

struct Profile {
  const char* name;
  const char* words;
};
// Words that say little by themselves and are in nearly every text of the language.
constexpr Profile profiles[] = {
    {"en",
     "the of and to in is that it for was on are with as be at this have from or by not but what "
     "all were when we there can an your which their if do will each how them then she he his her "
     "you i they my our has had would could should may must does did been its than so who whom "
     "where why because while until after before into within during about over under any some no "
     "only more most "
     "very just also a me us him these those am being too such please"},
    {"es",
     "el la los las de del y a en que es un una por con no se su para al lo como más pero sus le "
     "ya o este sí porque esta entre cuando muy sin sobre también me hasta hay donde quien desde "
     "todo nos durante todos uno les ni contra otros ese eso ante ellos e esto mí antes algunos "
     "qué unos yo otro otras él tanto esa estos mucho quienes nada muchos cual son está tu te "
     "fue ser si mi tiene puede cada aquí así"},
    {"fr",
     "le la les des du et en que qui dans un une pour pas au sur se plus par je avec tout faire "
     "son mettre autre on mais nous comme ou si leur y dire elle devoir avant deux même prendre "
     "aussi celui vous il est ce cette ces sont aux votre notre ne être avoir très"},
    {"de",
     "der die das und in den von zu mit sich auf für ist im dem nicht ein eine als auch es an "
     "werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum "
     "war haben nur oder aber vor zur bis mehr durch man sein wurde ich wir ihr ihnen kann bitte"},
    {"it",
     "il lo la i gli le di e che è un una per con non si da in del della dei al alla sono come ma "
     "più anche nel questo questa mi ti ci se o ha ho hai suo sua tutto essere molto perché"},
    {"pt",
     "o a os as de do da dos das e que em um uma para com não por no na se mais como mas foi ao "
     "ele ela tem à seu sua ou quando muito nos já eu também só pelo pela até isso você é são"},
    {"nl",
     "de het een en van ik te dat die in is je niet zijn op aan met als voor er maar om dan zou "
     "wat mijn men dit zo door over ze bij ook tot uw we kan naar heb hoe heeft wij"}};

struct Profiles {
  std::unordered_map<uint64_t, uint32_t> of;  // word -> a bit for each language that has it
  Profiles() {
    for (uint32_t i = 0; i < std::size(profiles); ++i) {
      const std::string_view text = profiles[i].words;
      std::vector<Word> words;
      split_words(text, words);
      for (const Word& word : words) of[word.id] |= 1u << i;
    }
  }
};
const Profiles& known() {
  static const Profiles all;
  return all;
}

// Asked for nearly every word by every check: the numbers of English and Spanish function words,
// each at the place that its last bits say or the next free one.
class FunctionWords {
 public:
  FunctionWords() {
    for (auto& [id, languages] : known().of)
      if (languages & 3) {
        size_t at = id & last_place;
        while (places_[at] != 0) at = (at + 1) & last_place;
        places_[at] = id;
      }
  }
  bool has(uint64_t id) const {
    for (size_t at = id & last_place; places_[at] != 0; at = (at + 1) & last_place)
      if (places_[at] == id) return true;
    return false;
  }

 private:
  static constexpr size_t last_place = 4095;
  std::array<uint64_t, last_place + 1> places_{};
};

struct Script {
  uint32_t first, end;
  const char* name;
};
constexpr Script script_ranges[] = {
    {0x0400, 0x0530, "cyrillic"}, {0x0370, 0x0400, "greek"},      {0x0590, 0x0600, "hebrew"},
    {0x0600, 0x0780, "arabic"},   {0x0900, 0x0980, "devanagari"}, {0x0E00, 0x0E80, "thai"},
    {0x3040, 0x3100, "japanese"}, {0xAC00, 0xD7B0, "korean"},     {0x4E00, 0xA000, "han"}};

const char* script_name(uint32_t code) {
  for (const Script& script : script_ranges)
    if (code >= script.first && code < script.end) return script.name;
  return nullptr;
}

}  // namespace

bool is_function_word(uint64_t id) {
  static const FunctionWords words;
  return words.has(id);
}

std::vector<std::string> known_languages() {
  std::vector<std::string> all;
  for (const Profile& profile : profiles) all.push_back(profile.name);
  for (const Script& script : script_ranges) all.push_back(script.name);
  return all;
}

std::string language_of(std::string_view text, const std::vector<Word>& words) {
  // Another script than the Latin one, where half of the letters are of it.
  size_t letters = 0;
  std::array<std::pair<const char*, size_t>, 12> scripts{};
  for (size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    at += c.bytes;
    if (c.code < 0x80) {
      letters += (c.code | 32) >= 'a' && (c.code | 32) <= 'z';
      continue;
    }
    ++letters;
    const char* name = script_name(c.code);
    if (!name) continue;
    for (auto& [known_name, count] : scripts) {
      if (known_name && known_name != name) continue;
      known_name = name;
      ++count;
      break;
    }
  }
  for (auto& [name, count] : scripts)
    if (name && count >= 4 && 2 * count >= letters)
      return std::string(name) == "han" && scripts[1].first ? "japanese" : name;
  std::array<double, std::size(profiles)> score{};
  size_t plain = 0, hits = 0;
  for (const Word& word : words) {
    if (word.kind != WordKind::word) continue;
    ++plain;
    auto found = known().of.find(word.id);
    if (found == known().of.end()) continue;
    ++hits;
    int shared = 0;
    for (uint32_t bits = found->second; bits; bits &= bits - 1) ++shared;
    for (uint32_t i = 0; i < std::size(profiles); ++i)
      if (found->second >> i & 1) score[i] += 1. / shared;
  }
  if (plain < 5 || hits < 2) return "";
  size_t best = 0;
  for (size_t i = 1; i < score.size(); ++i)
    if (score[i] > score[best]) best = i;
  double second = 0;
  for (size_t i = 0; i < score.size(); ++i)
    if (i != best) second = std::max(second, score[i]);
  if (score[best] < 1.5 || score[best] < 1.6 * second || score[best] < 0.12 * double(plain))
    return "";
  return profiles[best].name;
}

}  // namespace afina
