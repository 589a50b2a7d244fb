// Answers by a template's own marks ({% generation %}).
#include "data/chat_marks.h"

#include <algorithm>

#include "engine/error.h"

namespace afina {

std::string turn_name(const std::vector<Message>& messages, size_t i) {
  return "turn " + std::to_string(i + 1) + " (" + messages[i].role + ")";
}

namespace {

// Tells which turn each of the template's own marks ({% generation %}) belongs to, by where the
// turns lie in the text. Marks cannot be counted off: a turn may have none of them, or several.
class MarkFinder {
 public:
  MarkFinder(const Rendering& rendering, const std::vector<Message>& messages,
             const std::string& text, std::vector<Range> marks, Answers answers)
      : rendering_(rendering),
        messages_(messages),
        text_(text),
        marks_(std::move(marks)),
        answers_(answers) {}

  // The marks of the wanted turns.
  std::vector<Range> of(const std::vector<size_t>& wanted) const {
    std::vector<Range> kept;
    Cut from{0, 0};
    for (size_t i = 1; i <= messages_.size(); ++i) {
      Cut to{int64_t(text_.size()), i};
      if (i < messages_.size() && !cut(i, to)) continue;
      if (to.at < from.at) unsure(i - 1, "the turn after it is written before it");
      take(from, to, wanted, kept);
      from = to;
    }
    return kept;
  }

 private:
  // A place in the text with the turns before `turn` before it, the others behind it.
  struct Cut {
    int64_t at;
    size_t turn;
  };

  // The place before turn i, if it can be told.
  bool cut(size_t i, Cut& to) const {
    try {
      const std::string before = rendering_.first(i, false).text;
      if (text_.starts_with(before)) {
        to = {int64_t(before.size()), i};
        return true;
      }
    } catch (const Error&) {  // a template may refuse a part of a conversation
    }
    // Templates that write an earlier turn otherwise than the last one show where the text of
    // another's turn is: what differs when it is changed.
    if (messages_[i].role == "assistant") return false;
    Message changed = messages_[i];
    changed.content = changed.content.starts_with("#") ? "*" : "#";
    if (changed.more.is_object()) changed.more.erase("content");
    std::string other;
    try {
      other = rendering_.with_turn(messages_.size(), i, changed);
    } catch (const Error&) { return false; }
    if (other == text_) return false;
    const size_t shared = std::min(other.size(), text_.size());
    size_t begin = 0, same = 0;
    while (begin < shared && text_[begin] == other[begin]) ++begin;
    while (same < shared - begin &&
           text_[text_.size() - 1 - same] == other[other.size() - 1 - same])
      ++same;
    const Range changes{int64_t(begin), int64_t(text_.size() - same)};
    for (const Range& mark : marks_)
      if (mark.begin < changes.end && mark.end > changes.begin) return false;
    to = {changes.begin, i};
    return true;
  }

  // Keeps the marks between two places, which are those of the assistant's turns between them.
  void take(const Cut& from, const Cut& to, const std::vector<size_t>& wanted,
            std::vector<Range>& kept) const {
    size_t turns = 0, trained = 0, last = from.turn;
    for (size_t i = from.turn; i < to.turn; ++i) {
      if (messages_[i].role != "assistant") continue;
      ++turns;
      last = i;
      trained += std::binary_search(wanted.begin(), wanted.end(), i);
    }
    for (const Range& mark : marks_) {
      if (mark.end <= from.at || mark.begin >= to.at) continue;
      if (mark.begin < from.at || mark.end > to.at)
        unsure(last, "a mark of it goes on in another turn");
      if (turns == 0) unsure(last, "it is marked, and not the assistant's");
      if (trained != 0 && trained != turns)
        unsure(last, "where it begins in the text cannot be told");
      if (trained != 0) kept.push_back(mark);
    }
  }

  [[noreturn]] void unsure(size_t i, const std::string& why) const {
    fail(rendering_.name(), ": which of the marks ({% generation %}) are those of ",
         turn_name(messages_, i), " is not certain: ", why, ". Train on all answers (",
         answers_ == Answers::last ? "--train-on answers" : "no \"weight\": 0",
         ") or on everything (--train-on all), or choose another template with --template");
  }

  const Rendering& rendering_;
  const std::vector<Message>& messages_;
  const std::string& text_;
  const std::vector<Range> marks_;
  const Answers answers_;
};

}  // namespace

std::vector<Range> marked_answers(const jinja::Rendered& whole,
                                  const std::vector<size_t>& assistant,
                                  const std::vector<size_t>& wanted, const Rendering& rendering,
                                  const std::vector<Message>& messages, Answers answers) {
  std::vector<Range> all;
  for (const jinja::Span& span : whole.generated)
    if (span.end > span.begin) all.push_back({int64_t(span.begin), int64_t(span.end)});
  if (wanted.empty()) return {};
  require(!all.empty(), rendering.name(),
          " marks what the assistant writes ({% generation %}), but nothing in "
          "this conversation; choose another with --template");
  if (wanted.size() == assistant.size()) return all;
  std::vector<Range> kept =
      MarkFinder(rendering, messages, whole.text, std::move(all), answers).of(wanted);
  require(!kept.empty(), rendering.name(),
          " marks what the assistant writes ({% generation %}), but nothing in the turns to train "
          "on (",
          turn_name(messages, wanted[0]), wanted.size() > 1 ? " and others" : "",
          "); train on others, or choose another with --template");
  return kept;
}

}  // namespace afina
