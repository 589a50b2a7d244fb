// Whole runs in tests: the words of a short one, the program in this process or in one of its own.
#pragma once
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "engine/files/json.h"
#include "model/files/save.h"
#include "tools/options/command.h"
#include "tools/runs/load.h"

namespace afina {

inline const std::string source = AFINA_SOURCE_DIR;
using Words = std::vector<std::string>;

// A short run on the pocket model with random weights: everything is real but the weights. `more`
// replaces what is said already.
inline Words words(const std::string& command, const std::string& out, Words more) {
  std::string pocket = source + "/data/pocket", support = source + "/data/samples/support.jsonl";
  // clang-format off
  Words all = {command, "--model", pocket, "--init", "--data", support, "--limit", "60",
               "--held-out", "6", "--length", "128", "--on-too-long", "cut", "--on-problem", "skip",
               "--steps", "4", "--batch", "2", "--generations", "1", "--eval-every", "4", "--watch", "off",
               "--out", out};
  // clang-format on
  for (size_t i = 0; i < more.size(); ++i) {
    auto old = more[i] == "--method" ? all.end() : std::find(all.begin(), all.end(), more[i]);
    if (old != all.end() && more[i].starts_with("--") && i + 1 < more.size())
      *(old + 1) = more[++i];
    else all.push_back(more[i]);
  }
  return all;
}

struct Said {
  int status;
  std::string out, err;
};
// Runs a command in this process and catches what it prints.
inline Said run(const Words& all) {
  std::ostringstream out, err;
  auto *was_out = std::cout.rdbuf(out.rdbuf()), *was_err = std::cerr.rdbuf(err.rdbuf());
  int status = run_program(all);
  std::cout.rdbuf(was_out);
  std::cerr.rdbuf(was_err);
  return {status, out.str(), err.str()};
}
// Starts the program as a process of its own, with `environment` ("NAME=value") beside ours; what
// it says on stderr goes to a file.
inline pid_t start_program(const Words& all, const std::string& said = "/dev/null",
                           const Words& environment = {}) {
  std::fflush(nullptr);
  pid_t child = fork();
  if (child != 0) return child;
  std::string program = AFINA_PROGRAM;
  Words copy = all, extra = environment;
  std::vector<char*> argv = {program.data()};
  for (std::string& word : copy) argv.push_back(word.data());
  argv.push_back(nullptr);
  for (std::string& one : extra) putenv(one.data());
  int to = open(said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600),
      nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, 1);
  dup2(to, 2);
  execv(program.c_str(), argv.data());
  _exit(127);
}
// Waits for a process; its status as wait(2) has it.
inline int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return status;
}

inline std::string digest(const std::string& folder) {
  return parse_json_file(folder + "/manifest.json").at("digest").get<std::string>();
}
// The digest of a run into a folder that is emptied first.
inline std::string digest_of_run(const std::string& out, const Words& more) {
  std::filesystem::remove_all(out);
  Said said = run(words("train", out, more));
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  return digest(out);
}
// Stores an adapter of this method for a model, its numbers drawn from the seed: one that changes
// what the model says.
inline void store_adapter(const std::string& path, const std::string& model,
                          const std::string& method, uint64_t seed) {
  ModelFiles files = open_model(model);
  auto made = build_model(files.config, *files.source, make_method(parse_method(method)), {});
  for (Parameter* p : made->parameters->trained()) {
    p->init = {Init::normal, 0.15f};
    initialise(*p, seed);
  }
  save_adapter(path, *made, model);
}
inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace afina
