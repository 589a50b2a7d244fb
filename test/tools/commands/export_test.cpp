// export and certify as a user runs them.
#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "engine/files/gguf.h"
#include "engine/files/sha256.h"
#include "model/files/weights.h"
#include "test/tools/commands/trained_run.h"

using namespace afina;

namespace {

namespace fs = std::filesystem;

void check_all_hold(const std::string& json, const std::string& file) {
  const Json c = certificate_in(json);
  BOOST_TEST(c.at("holds") == true, c.dump(1));
  BOOST_TEST(c.at("sha256") == sha256_file(file));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(export_commands)

BOOST_AUTO_TEST_CASE(a_run_becomes_a_gguf_file_with_its_certificate) {
  ScratchFolder folder;
  const std::string out = folder / "m.gguf";
  Said said = run({"export", trained().run_folder, "--to", "gguf", "--type", "f16", "--out", out});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "held-out row"), said.out);
  check_all_hold(folder / "m.certificate.json", out);
  BOOST_TEST(holds(read_text_file(folder / "m.certificate.html"), sha256_file(out)));
  BOOST_TEST(folder.entries() == 3u);
  const Gguf file(out);
  BOOST_TEST(file.metadata()["general.architecture"] == "llama");
  BOOST_TEST(file.metadata()["general.file_type"] == 1);
  BOOST_TEST(file.metadata()["tokenizer.ggml.pre"] == "smollm");
  BOOST_TEST((file.at("blk.0.attn_q.weight").type == StoredType::f16));

  // It answers as base and adapter, and what is there is not written over.
  const Words prompt = {"--prompt", "Where is my parcel?", "--max-tokens", "8"};
  Words merged = {"generate", "--model", out},
        apart = {"generate", "--model", pocket, "--adapter", trained().adapter};
  merged.insert(merged.end(), prompt.begin(), prompt.end());
  apart.insert(apart.end(), prompt.begin(), prompt.end());
  BOOST_TEST(run(merged).out == run(apart).out);
  said = run({"export", trained().run_folder, "--to", "gguf", "--out", out});
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "exists already"), said.err);

  // Read and written again by itself it is the same file of tensors.
  said = run({"export", "--model", out, "--to", "gguf", "--out", folder / "again"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const Gguf again(folder / "again/model.gguf");
  BOOST_TEST(again.metadata().size() == file.metadata().size());
  for (const StoredTensor& t : file.tensors())
    BOOST_TEST((again.at(t.name).type == t.type &&
                std::equal(t.data, t.data + t.bytes, again.at(t.name).data)),
               t.name);

  // Somebody else's file: the same, and one that is not what was trained.
  said = run({"certify", folder / "again/model.gguf", "--against", pocket, "--adapter",
              trained().adapter, "--out", folder / "theirs"});
  BOOST_TEST(said.status == 0, said.err);
  check_all_hold(folder / "theirs.json", folder / "again/model.gguf");
  said = run({"certify", out, "--against", pocket, "--out", folder / "base"});
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "is not what was trained"), said.err);
  BOOST_TEST(certificate_in(folder / "base.json").at("holds") == false);
}

BOOST_AUTO_TEST_CASE(the_other_forms) {
  ScratchFolder folder;
  for (auto& [form, file] :
       {std::pair("hf", "model.safetensors"), std::pair("peft", "adapter_model.safetensors"),
        std::pair("gguf-lora", "adapter.gguf"), std::pair("ollama", "model.gguf")}) {
    const std::string out = folder / form;
    const Said said = run({"export", "--model", pocket, "--adapter", trained().adapter, "--to",
                           form, "--out", out, "--text", "Where is my parcel?"});
    BOOST_REQUIRE_MESSAGE(said.status == 0, form << ": " << said.err);
    check_all_hold(out + "/certificate.json", out + "/" + file);
  }
  const std::string text = read_text_file(folder / "ollama/Modelfile");
  for (const char* part : {"FROM ./model.gguf\n", "TEMPLATE \"\"\"", "{{ .Content }}",
                           "PARAMETER stop \"<|im_end|>\"", "PARAMETER stop \"<|endoftext|>\""})
    BOOST_TEST(holds(text, part), text);
  // The adapter of PEFT's form is certified as others would write it.
  const Said said = run({"certify", folder / "peft", "--against", pocket, "--adapter",
                         trained().adapter, "--out", folder / "peft-again"});
  BOOST_TEST(said.status == 0, said.err);
  // Another tokenizer, or none, is another program's other tokens.
  const std::string hf = folder / "hf";
  auto certified = [&](const std::string& name) {
    return run({"certify", hf, "--against", pocket, "--adapter", trained().adapter, "--text", "Hi.",
                "--out", folder / name});
  };
  Json swapped = parse_json_file(hf + "/tokenizer.json");
  Json& vocabulary = swapped["model"]["vocab"];
  std::string one, other;
  for (auto& [text, id] : vocabulary.items()) {
    if (id == 2000) one = text;
    if (id == 2001) other = text;
  }
  BOOST_REQUIRE((!one.empty() && !other.empty()));
  std::swap(vocabulary[one], vocabulary[other]);
  write_text_file(hf + "/tokenizer.json", to_text(swapped));
  Said found = certified("swapped");
  BOOST_TEST(found.status == 1, found.out);
  BOOST_TEST(holds(found.err, "2 tokens differ"), found.err);
  fs::remove(hf + "/tokenizer.json");
  found = certified("none");
  BOOST_TEST(found.status == 1, found.out);
  BOOST_TEST(holds(found.err, "no tokenizer"), found.err);
  // A folder with one adapter of GGUF is that adapter.
  const Said lora = run({"certify", folder / "gguf-lora", "--against", pocket, "--adapter",
                         trained().adapter, "--text", "Hi.", "--out", folder / "lora-again"});
  BOOST_TEST(lora.status == 0, lora.err);
  BOOST_TEST(certificate_in(folder / "lora-again.json").at("form") == "gguf-lora");
}

// What lies in a run's folder is not what was trained: said before anything is written.
BOOST_AUTO_TEST_CASE(a_run_whose_adapter_is_another_is_not_exported) {
  ScratchFolder folder;
  const std::string run_folder = folder / "run";
  fs::copy(trained().run_folder, run_folder, fs::copy_options::recursive);
  const std::string file = run_folder + "/adapter/adapter_model.safetensors";
  std::string bytes = read_text_file(file);
  bytes[bytes.size() - 2] = char(bytes[bytes.size() - 2] ^ 1);
  write_text_file(file, bytes);
  Said said = run({"export", run_folder, "--to", "hf", "--out", folder / "out"});
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "holds other values than those that were trained"), said.err);
  fs::remove_all(run_folder + "/adapter");
  fs::copy(trained().adapter, run_folder + "/adapter", fs::copy_options::recursive);
  Json manifest = parse_json_file(run_folder + "/manifest.json");
  manifest["model"]["sha256"] = std::string(64, '0');
  write_text_file(run_folder + "/manifest.json", to_text(manifest));
  said = run({"export", run_folder, "--to", "hf", "--out", folder / "out"});
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "is another model than the one that"), said.err);
}

// Two bits too few: the certificate refuses, and nothing is kept but by --accept.
BOOST_AUTO_TEST_CASE(a_check_that_does_not_hold_keeps_nothing) {
  ScratchFolder folder;
  Words words = {"export",       "--model", pocket,         "--adapter", trained().adapter,
                 "--to",         "gguf",    "--type",       "q4_0",      "--out",
                 folder / "out", "--text",  "Good morning."};
  // Three steps change little: rounding to four bits swallows them.
  Said said = run(words);
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "is not what was trained"), said.err);
  BOOST_TEST(holds(said.err, "Nothing was kept"), said.err);
  BOOST_TEST(folder.entries() == 0u);
  words.push_back("--accept");
  said = run(words);
  BOOST_TEST(said.status == 0, said.err);
  const Json c = certificate_in(folder / "out/certificate.json");
  BOOST_TEST(c.at("holds") == false);
  BOOST_TEST(c.at("accepted_all_the_same") == true);
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_nothing) {
  ScratchFolder folder;
  const std::string& adapter = trained().adapter;
  struct rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  auto* old = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 100'000;
  setrlimit(RLIMIT_FSIZE, &small);
  const Said file = run({"export", "--model", pocket, "--adapter", adapter, "--to", "gguf", "--out",
                         folder / "m.gguf", "--text", "Good morning."}),
             whole = run({"export", "--model", pocket, "--adapter", adapter, "--to", "ollama",
                          "--out", folder / "m", "--text", "Good morning."});
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old);
  for (const Said* said : {&file, &whole}) {
    BOOST_TEST(said->status == 1);
    BOOST_TEST(holds(said->err, "cannot write"), said->err);
  }
  BOOST_TEST(folder.entries() == 0u);
}

BOOST_AUTO_TEST_CASE(wrong_uses) {
  ScratchFolder folder;
  auto says = [&](const Words& words, int status, const std::string& part) {
    const Said said = run(words);
    BOOST_TEST(said.status == status, said.err);
    BOOST_TEST(holds(said.err, part), said.err);
  };
  const std::string out = folder / "out";
  says({"export", "--to", "gguf", "--out", out}, 2, "either the folder of a run, or --model");
  says({"export", pocket, "--to", "gguf", "--out", out}, 1, "no run.json");
  says({"export", "--model", pocket, "--to", "hf", "--out", out + ".gguf"}, 2,
       "does not end in .gguf");
  says({"export", "--model", pocket, "--to", "hf", "--type", "q8_0", "--out", out}, 2,
       "f32 or bf16");
  says({"export", "--model", pocket, "--to", "peft", "--out", out}, 1,
       "a whole model and no adapter");
  says({"export", "--model", pocket, "--to", "gguf-lora", "--out", out}, 1, "no adapter");
  says({"export", "--model", source + "/test/stored/tiny/llama", "--to", "gguf", "--out", out}, 1,
       "has no tokenizer");
  says({"export", "--model", source + "/test/stored/tiny/seed_oss", "--to", "ollama", "--out", out},
       1, "");
  BOOST_TEST(folder.entries() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
