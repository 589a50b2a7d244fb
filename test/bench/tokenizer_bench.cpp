// How long a tokenizer.json takes to load and texts take to encode, on one thread.
//
//   bench_tokenizer FILE.json TEXTS.json...   loads and encodes, five times each; best and median
//   bench_tokenizer --asked                   obeys lines of standard input, for a script that
//                                             alternates with another library (tokenizer_peer.py)
//   bench_tokenizer --from FILE.gguf OUT.json writes the tokenizer.json of a GGUF file
// TEXTS.json is a list of documents: ["...", ...]; any other file is one document.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "data/tokenizer/tokenizer.h"
#include "engine/files/atomic_file.h"
#include "engine/files/gguf.h"
#include "engine/files/json.h"
#include "engine/files/sha256.h"

using namespace afina;

namespace {

// Of the processor, not of the clock: the same on a machine that does other work as well.
double seconds() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

std::vector<std::string> documents(const std::string& path) {
  if (!path.ends_with(".json")) return {read_text_file(path)};
  return parse_json_file(path);
}

struct Encoded {
  double seconds = 0;
  int64_t tokens = 0;
  std::string digest;  // of all ids, as 32-bit integers
};

Encoded encode(const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  std::vector<std::vector<int32_t>> ids(texts.size());
  const double begin = seconds();
  for (size_t i = 0; i < texts.size(); ++i) ids[i] = tokenizer.encode(texts[i]);
  Encoded out;
  out.seconds = seconds() - begin;
  Sha256 digest;
  for (auto& one : ids) {
    digest.update(one.data(), one.size() * sizeof(int32_t));
    out.tokens += int64_t(one.size());
  }
  out.digest = digest.hex();
  return out;
}

void obey() {
  std::optional<Tokenizer> tokenizer;
  std::vector<std::string> texts;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string verb = line.substr(0, line.find(' ')), path = line.substr(line.find(' ') + 1);
    if (verb == "load") {
      tokenizer.reset();
      const double begin = seconds();
      tokenizer = Tokenizer::from_file(path);
      std::printf("%.9f\n", seconds() - begin);
    } else {
      texts = documents(path);
      const Encoded done = encode(*tokenizer, texts);
      std::printf("%.9f %ld %s\n", done.seconds, long(done.tokens), done.digest.c_str());
    }
    std::fflush(stdout);
  }
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

void alone(const std::string& file, const std::vector<std::string>& names) {
  constexpr int rounds = 5;
  std::vector<double> load;
  std::vector<std::vector<double>> rates(names.size());
  for (int round = 0; round < rounds; ++round) {
    const double begin = seconds();
    const Tokenizer tokenizer = Tokenizer::from_file(file);
    load.push_back(seconds() - begin);
    for (size_t i = 0; i < names.size(); ++i) {
      const auto texts = documents(names[i]);
      size_t bytes = 0;
      for (auto& text : texts) bytes += text.size();
      rates[i].push_back(double(bytes) / 1e6 / encode(tokenizer, texts).seconds);
    }
  }
  std::printf("%s: loaded in %.1f ms (median %.1f)\n", file.c_str(),
              *std::min_element(load.begin(), load.end()) * 1e3, median(load) * 1e3);
  for (size_t i = 0; i < names.size(); ++i)
    std::printf("  %-40s %7.1f MB/s (median %.1f)\n", names[i].c_str(),
                *std::max_element(rates[i].begin(), rates[i].end()), median(rates[i]));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 1 && words[0] == "--asked") obey();
    else if (words.size() == 3 && words[0] == "--from")
      write_text_file(words[2], Tokenizer::from_gguf(Gguf(words[1]).metadata()).json_text());
    else if (!words.empty()) alone(words[0], {words.begin() + 1, words.end()});
    else std::puts("bench_tokenizer FILE.json TEXTS.json... | --asked | --from FILE.gguf OUT.json");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_tokenizer: %s\n", error.what());
    return 1;
  }
}
