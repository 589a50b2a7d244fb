// Turns examples into samples: tokens and targets, with guards against training on nothing or on
// the wrong tokens.
#include <algorithm>
#include <numeric>

#include "data/batches.h"
#include "data/sample_notes.h"
#include "engine/counted.h"
#include "engine/error.h"
#include "engine/files/sha256.h"
#include "engine/threads.h"

namespace afina {

int64_t Sample::target_count() const {
  return std::accumulate(trained.begin(), trained.end(), int64_t(0));
}

namespace {

// What is wrong with one example and what to do about it; empty if nothing is wrong.
using Problem = std::string;

struct Tokenised {
  std::vector<int32_t> tokens;
  std::vector<uint8_t> trained;
  Problem problem;
};

struct Context {
  const Tokenizer& tokenizer;
  const ChatTemplate& chat;
  const SampleOptions& options;
  int32_t end_of_text;  // separates documents in plain text
  // Tokens that the template or tokenizer adds; in the text of a message they are a mistake.
  std::vector<std::string> marks{};
};

// The special tokens that surround turns, and those that begin and end a text.
std::vector<std::string> marks_of(const Tokenizer& tokenizer, const ChatTemplate& chat) {
  std::vector<int32_t> ids = chat.marks();
  ids.insert(ids.end(), {tokenizer.bos(), tokenizer.eos(), chat.end_of_turn()});
  std::vector<std::string> marks;
  for (int32_t id : ids)
    if (id >= 0 && tokenizer.is_special(id)) marks.push_back(tokenizer.token_text(id));
  std::sort(marks.begin(), marks.end());
  marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
  return marks;
}

// Detects text that was already rendered: it would get beginning, turns and end twice, and an
// answer containing such a mark would teach the model to stop in its middle.
Problem marks_in(const Example& example, const Context& context) {
  for (size_t i = 0; i < example.messages.size(); ++i)
    for (const std::string& mark : context.marks)
      if (example.messages[i].content.find(mark) != std::string::npos)
        return "turn " + std::to_string(i + 1) + " (" + example.messages[i].role + ") has " + mark +
               " in its text, which the template or the tokenizer adds: remove it from the text. A "
               "conversation that is already rendered as text needs --format text";
  return "";
}

// The token that separated documents in pretraining; chat models use a different token as eos.
int32_t end_of_text_of(const Tokenizer& tokenizer) {
  for (const char* name : {"<|endoftext|>", "<|end_of_text|>", "</s>"})
    if (int32_t id = tokenizer.id_of(name); id >= 0) return id;
  return tokenizer.eos();
}

// Marks the tokens of all target ranges. Every range must begin at a token boundary: otherwise the
// prompt's last token would reveal part of the answer, and the prompt would end in a different
// token during generation.
Problem mark_ranges(const Encoding& encoding, const std::vector<Range>& ranges,
                    std::vector<uint8_t>& trained) {
  size_t i = 0;
  for (auto& range : ranges) {
    while (i < encoding.ids.size() && encoding.ranges[i].end <= range.begin &&
           encoding.ranges[i].begin < range.begin)
      ++i;
    if (i < encoding.ids.size() && encoding.ranges[i].begin < range.begin)
      return "the answer at byte " + std::to_string(range.begin) +
             " begins inside a token (bytes " + std::to_string(encoding.ranges[i].begin) + " to " +
             std::to_string(encoding.ranges[i].end) +
             "): the prompt's tokens are not a prefix of the whole. Move white space from the end "
             "of the prompt to the beginning of the answer, or remove it";
    for (; i < encoding.ids.size() && encoding.ranges[i].begin < range.end; ++i) trained[i] = 1;
  }
  return "";
}

// Adds BOS and EOS where they are missing and rejects duplicates. Some models call <|im_start|>
// bos; two of them at the beginning are a mistake as well.
Problem add_ends(const Context& context, bool is_text, Tokenised& row) {
  const Tokenizer& tokenizer = context.tokenizer;
  const int32_t bos = tokenizer.bos(),
                end = is_text ? context.end_of_text : context.chat.end_of_turn();
  const std::vector<int32_t>& first = tokenizer.before_text();
  if (is_text && (row.tokens.size() < first.size() ||
                  !std::equal(first.begin(), first.end(), row.tokens.begin()))) {
    row.tokens.insert(row.tokens.begin(), first.begin(), first.end());
    row.trained.insert(row.trained.begin(), first.size(), 0);
  }
  if (is_text && end < 0)
    return "the tokenizer names no token that ends a text, and without one a model cannot learn to "
           "stop; name it in tokenizer_config.json (eos_token)";
  if (is_text && (row.tokens.empty() || row.tokens.back() != end)) {
    row.tokens.push_back(end);
    row.trained.push_back(1);
  }
  if (bos >= 0 && row.tokens.size() > 1 && row.tokens[0] == bos && row.tokens[1] == bos)
    return "it begins with two " + tokenizer.token_text(bos) +
           ": remove them from the text; the tokenizer adds one where it belongs";
  for (size_t i = 1; end >= 0 && i < row.tokens.size(); ++i)
    if (row.tokens[i] == end && row.tokens[i - 1] == end && row.trained[i])
      return "it has two " + tokenizer.token_text(end) +
             " in a row: remove them from the text; one is added where it belongs";
  return "";
}

Answers answers_to_find(TrainOn train_on) {
  return train_on == TrainOn::everything    ? Answers::none
         : train_on == TrainOn::last_answer ? Answers::last
                                            : Answers::all;
}

Tokenised tokenise(const Example& example, const Context& context) {
  Tokenised row;
  row.problem = example.problem.empty() ? marks_in(example, context) : example.problem;
  if (!row.problem.empty()) return row;
  std::vector<Range> ranges;
  std::string text;
  TrainOn train_on = context.options.train_on;
  if (example.is_text()) {
    text = example.text;
    train_on = TrainOn::everything;
  } else {
    try {
      Rendered rendered =
          context.chat.render(example.messages, example.input, answers_to_find(train_on));
      text = std::move(rendered.text);
      ranges = std::move(rendered.answers);
    } catch (const Error& error) {
      row.problem = error.what();
      return row;
    }
  }
  if (train_on == TrainOn::everything) ranges = {{0, int64_t(text.size())}};
  Encoding encoding = context.tokenizer.encode_with_offsets(text);
  row.trained.assign(encoding.ids.size(), 0);
  row.problem = mark_ranges(encoding, ranges, row.trained);
  row.tokens = std::move(encoding.ids);
  if (row.problem.empty()) row.problem = add_ends(context, example.is_text(), row);
  if (!row.trained.empty()) row.trained[0] = 0;  // there is no earlier token to predict it from
  if (row.problem.empty() &&
      std::find(row.trained.begin(), row.trained.end(), 1) == row.trained.end())
    row.problem = "none of its " + counted(int64_t(row.tokens.size()), "token") +
                  " is a target: nothing would be learned from it";
  return row;
}

std::vector<Tokenised> tokenise_all(const std::vector<Example>& examples, const Context& context) {
  std::vector<Tokenised> rows(examples.size());
  std::vector<std::string> errors(examples.size());
  parallel_for(int64_t(examples.size()), 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      try {
        rows[i] = tokenise(examples[i], context);
      } catch (const std::exception& error) {
        errors[i] = error.what();
        if (errors[i].empty()) errors[i] = "unknown error";
      }
    }
  });
  for (size_t i = 0; i < examples.size(); ++i)
    require(errors[i].empty(), examples[i].place, ": ", errors[i]);
  return rows;
}

class SampleCollector {
 public:
  SampleCollector(const Context& context, Samples& out) : context_(context), out_(out) {}

  void add(const Example& example, int64_t index, Tokenised row) {
    const SampleOptions& options = context_.options;
    ++out_.examples;
    if (!row.problem.empty()) {
      out_.problems.add(example.problem.empty() ? example.place + ": " + row.problem
                                                : example.problem);
      ++out_.skipped;
      return;
    }
    size_t longest = size_t(options.length) + 1;  // the last token is only a target
    if (row.tokens.size() <= longest) {
      keep({std::move(row.tokens), std::move(row.trained), index});
    } else if (example.is_text()) {
      keep_windows(row, index);
    } else {
      keep_cut(example, row, index, longest);
    }
  }

  // Throws after all records were seen, so that one error covers all of them.
  void check() const {
    const SampleOptions& options = context_.options;
    require(too_long_ == 0 || options.on_too_long != OnTooLong::error, first_too_long_,
            ": it is longer than --length ", options.length, "; ",
            counted_of(too_long_, out_.examples, "record"), too_long_ == 1 ? " is" : " are",
            ", the longest with ", most_tokens_, " tokens, and ",
            counted(out_.targets_lost, "target"), " would be lost. Choose --length ",
            (most_tokens_ + 6) / 8 * 8, ", or --on-too-long cut or skip");
  }

 private:
  void keep(Sample sample) {
    if (sample.tokens.size() < 2) return;
    out_.tokens += int64_t(sample.tokens.size());
    out_.targets += sample.target_count();
    out_.rows.push_back(std::move(sample));
  }

  // Splits plain text into consecutive samples. The token at each seam is the last target of one
  // sample and the first input of the next.
  void keep_windows(const Tokenised& row, int64_t index) {
    size_t step = size_t(context_.options.length);
    for (size_t begin = 0; begin + 1 < row.tokens.size(); begin += step) {
      size_t end = std::min(begin + step + 1, row.tokens.size());
      Sample sample{{row.tokens.begin() + int64_t(begin), row.tokens.begin() + int64_t(end)},
                    {row.trained.begin() + int64_t(begin), row.trained.begin() + int64_t(end)},
                    index};
      sample.trained[0] = 0;
      keep(std::move(sample));
    }
  }

  void keep_cut(const Example& example, Tokenised& row, int64_t index, size_t longest) {
    int64_t lost =
        std::accumulate(row.trained.begin() + int64_t(longest), row.trained.end(), int64_t(0));
    int64_t left =
        std::accumulate(row.trained.begin(), row.trained.begin() + int64_t(longest), int64_t(0));
    if (lost > 0 && too_long_++ == 0) first_too_long_ = example.place;
    most_tokens_ = std::max(most_tokens_, row.tokens.size());
    out_.targets_lost += lost;
    if (context_.options.on_too_long == OnTooLong::skip || left == 0) {
      ++out_.skipped;
      const int64_t tokens = int64_t(row.tokens.size());
      if (out_.too_long++ == 0 || tokens < out_.shortest_too_long) out_.shortest_too_long = tokens;
      return;
    }
    ++out_.cut;
    row.tokens.resize(longest);
    row.trained.resize(longest);
    keep({std::move(row.tokens), std::move(row.trained), index});
  }

  const Context& context_;
  Samples& out_;
  int64_t too_long_ = 0;
  size_t most_tokens_ = 0;
  std::string first_too_long_;
};

std::string digest_of(const std::vector<Sample>& rows) {
  Sha256 hash;
  for (auto& row : rows) {
    // Little-endian, so that the digest is the same on every machine.
    std::string bytes;
    auto put = [&](uint32_t value) {
      for (int i = 0; i < 4; ++i) bytes += char(value >> (8 * i));
    };
    put(uint32_t(row.tokens.size()));
    for (size_t i = 0; i < row.tokens.size(); ++i)
      put(uint32_t(row.tokens[i]) << 1 | row.trained[i]);
    hash.update(bytes);
  }
  return hash.hex();
}

}  // namespace

Samples make_samples(const std::vector<Example>& examples, const Tokenizer& tokenizer,
                     const ChatTemplate& chat, const SampleOptions& options, Samples* all) {
  require(options.length >= 8 && options.length % 8 == 0,
          "--length: expected a multiple of 8 from 8, found ", options.length);
  require(!examples.empty(), "there are no examples to learn from");
  Context context{tokenizer, chat, options, end_of_text_of(tokenizer), marks_of(tokenizer, chat)};
  std::vector<Tokenised> rows = tokenise_all(examples, context);
  Samples out;
  out.pad = tokenizer.pad() >= 0 ? tokenizer.pad() : std::max(tokenizer.eos(), 0);
  SampleCollector collector(context, out);
  for (size_t i = 0; i < examples.size(); ++i) {
    collector.add(examples[i], int64_t(i), std::move(rows[i]));
    out.conversations += !examples[i].is_text();
  }
  if (all) {
    all->examples += out.examples;
    all->problems.add(out.problems);
  } else {
    check_problems(out, options);
  }
  const bool reported = all && options.on_problem == OnProblem::error && !out.problems.none();
  if (reported) return out;
  collector.check();
  out.notes =
      notes_on(examples, chat, out.conversations > 0 && options.train_on != TrainOn::everything);
  out.notes.insert(out.notes.begin(), tokenizer.notes().begin(), tokenizer.notes().end());
  require(!out.rows.empty(), examples[0].place,
          " and all after it: no record is left to learn from; ", out.skipped, " of ", out.examples,
          out.skipped == 1 ? " was left out" : " were left out", why_left_out(out, options));
  if (out.too_long > 0)
    out.notes.push_back(counted_of(out.too_long, out.examples, "record") +
                        (out.too_long == 1 ? " was" : " were") +
                        " left out as longer than --length " + std::to_string(options.length) +
                        ", the shortest with " + std::to_string(out.shortest_too_long) + " tokens");
  for (std::string& note : out.problems.notes()) out.notes.push_back(std::move(note));
  out.sha256 = digest_of(out.rows);
  return out;
}

void check_problems(const Samples& samples, const SampleOptions& options) {
  require(samples.problems.none() || options.on_problem == OnProblem::skip,
          samples.problems.summary(samples.examples), samples.problems.several() ? "\n" : ". ",
          "--on-problem skip leaves such records out");
}

std::vector<Example> first_usable(std::vector<Example> examples, int64_t count,
                                  const Tokenizer& tokenizer, const ChatTemplate& chat,
                                  const SampleOptions& options, Samples* left_out) {
  if (options.on_problem != OnProblem::skip && options.on_too_long == OnTooLong::error) {
    if (int64_t(examples.size()) > count) examples.resize(size_t(count));
    return examples;
  }
  Context context{tokenizer, chat, options, end_of_text_of(tokenizer), marks_of(tokenizer, chat)};
  std::vector<Example> usable;
  for (Example& example : examples) {
    if (int64_t(usable.size()) >= count) break;
    Tokenised row = tokenise(example, context);
    bool error = row.problem.empty() ? options.on_too_long == OnTooLong::error
                                     : options.on_problem == OnProblem::error;
    Samples kept;
    SampleCollector(context, kept).add(example, 0, std::move(row));
    if (error || !kept.rows.empty()) {
      usable.push_back(std::move(example));
    } else if (left_out) {
      ++left_out->examples;
      left_out->problems.add(kept.problems);
      left_out->too_long += kept.too_long;
      if (left_out->shortest_too_long == 0 ||
          (kept.too_long > 0 && kept.shortest_too_long < left_out->shortest_too_long))
        left_out->shortest_too_long = kept.shortest_too_long;
    }
  }
  return usable;
}

}  // namespace afina
