// personal-data: patterns of mail and postal addresses, telephone numbers, IBANs, cards, identity
// numbers and dates of birth.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "data/checks/check.h"
#include "data/checks/personal_patterns.h"

namespace afina {

// Is it the number of a mail, and nobody's address: "Message-ID: <...>"?
static bool is_mail_number(std::string_view text, const PersonalPiece& piece) {
  const size_t before = text.find_last_of('\n', piece.begin);
  const std::string line =
      lower_text(text.substr(before == text.npos ? 0 : before + 1, piece.begin - before - 1));
  for (std::string_view key : {"message-id:", "in-reply-to:", "references:", "content-id:"})
    if (line.starts_with(key)) return true;
  return false;
}

// Is it no answer that has the address, or has a turn before it the same one? A person who asks may
// name their own or a shop's; only what an answer adds is told of somebody.
static bool is_asked_or_given(const Corpus& corpus, const Turn& turn, uint32_t t,
                              std::string_view text) {
  if (turn.role != TurnRole::answer) return true;
  for (uint32_t k = corpus.record(turn.record).first_turn; k < t; ++k)
    if (corpus.text(k).find(text) != std::string_view::npos) return true;
  return false;
}

static void run(const Corpus& corpus, std::vector<Finding>& out) {
  // What many records have is the house's own: its address, its telephone. So is what answers to
  // several who ask otherwise name.
  const size_t own_askers = std::max<size_t>(4, corpus.records() / 2000);
  std::unordered_map<uint64_t, uint32_t> records_with;
  std::unordered_map<uint64_t, std::vector<uint64_t>> askers;  // first questions of such answers
  auto key_of = [](std::string_view text) {
    std::string plain;
    for (char c : text)
      if (std::string_view(" -.()/+").find(c) == std::string_view::npos) plain += c;
    return text_hash(lower_text(plain));
  };
  auto each = [&](auto&& take) {
    std::vector<PersonalPiece> pieces;
    for (uint32_t t = 0; t < corpus.turns().size(); ++t) {
      const Turn& turn = corpus.turns()[t];
      if (turn.record >= corpus.records()) break;
      find_personal(corpus.text(turn), pieces);
      for (const PersonalPiece& piece : pieces)
        take(turn, t, piece, corpus.text(turn).substr(piece.begin, piece.end - piece.begin));
    }
  };
  uint32_t last = no_turn;
  uint64_t last_key = 0;
  each([&](const Turn& turn, uint32_t, const PersonalPiece&, std::string_view text) {
    const uint64_t key = key_of(text);
    if (turn.record == last && key == last_key) return;
    last = turn.record;
    last_key = key;
    ++records_with[key];
    if (turn.role != TurnRole::answer) return;
    std::vector<uint64_t>& some = askers[key];
    const Turn& first = corpus.turns()[corpus.record(turn.record).first_turn];
    const uint64_t asked = text_hash(corpus.text(first));
    if (some.size() < own_askers && std::find(some.begin(), some.end(), asked) == some.end())
      some.push_back(asked);
  });
  // Words that the house signs with: its domain has one of them.
  std::vector<std::string> names;
  for (const HouseForm& form : corpus.forms()) {
    std::vector<Word> words;
    split_words(form.sign_text, words);
    for (const Word& word : words)
      if (word.capital && word.end - word.begin >= 5)
        names.push_back(
            lower_text(std::string_view(form.sign_text).substr(word.begin, word.end - word.begin)));
  }
  auto is_house = [&](std::string_view text) {
    const uint64_t key = key_of(text);
    if (auto some = askers.find(key); some != askers.end() && some->second.size() >= own_askers)
      return true;
    const size_t at = text.find('@');
    if (at == text.npos) return false;
    const std::string domain = lower_text(text.substr(at));
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return domain.find(name) != domain.npos; });
  };
  const uint32_t own = std::max<uint32_t>(5, corpus.records() / 50);
  std::map<std::pair<uint32_t, std::string>, bool> told;
  each([&](const Turn& turn, uint32_t t, const PersonalPiece& piece, std::string_view text) {
    if (records_with[key_of(text)] >= own || is_house(text)) return;
    if (text.find('@') != text.npos && is_mail_number(corpus.text(turn), piece)) return;
    const bool postal = std::string_view(piece.kind) == "postal address";
    if (postal && is_asked_or_given(corpus, turn, t, text)) return;
    if (!told.emplace(std::pair{turn.record, std::string(piece.kind)}, true).second) return;
    out.push_back({nullptr,
                   piece.certain,
                   {{turn.record, t, piece.begin, piece.end}},
                   std::string(piece.kind) + ": " + squeezed(text),
                   ""});
  });
}

static const RegisterCheck registered(
    {"personal-data", "privacy", Severity::error,
     "mail and postal addresses, telephone numbers, IBANs, cards, identity numbers, dates of birth",
     "A fine-tuned model can say them again to anybody.",
     "Replace them by invented ones, or remove the record.", run});

}  // namespace afina
