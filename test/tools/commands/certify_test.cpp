// certify as a user runs it: files of others, compared to the block and the number.
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "engine/files/gguf.h"
#include "engine/files/safetensors.h"
#include "engine/files/sha256.h"
#include "test/tools/commands/trained_run.h"

using namespace afina;

namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(certify_command)

// One block, or one number, that is not what was trained: named, in one file or in shards.
BOOST_AUTO_TEST_CASE(a_single_block_is_compared) {
  ScratchFolder folder;
  const Words text = {"--text", "Hi."};
  auto asked = [&](Words words) {
    words.insert(words.end(), {"--model", pocket, "--adapter", trained().adapter});
    words.insert(words.end(), text.begin(), text.end());
    return run(words);
  };
  auto certified = [&](const std::string& what, const std::string& name) {
    return run({"certify", what, "--against", pocket, "--adapter", trained().adapter, "--text",
                "Hi.", "--out", folder / name});
  };
  const std::string gguf = folder / "m.gguf";
  Said said = asked({"export", "--to", "gguf", "--type", "q8_0", "--accept", "--out", gguf});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  std::string bytes = read_text_file(gguf), block;
  {
    const Gguf file(gguf);
    const StoredTensor& t = file.at("blk.1.ffn_up.weight");
    BOOST_REQUIRE((t.type == StoredType::q8_0));
    block.assign(reinterpret_cast<const char*>(t.data) + 34 * 9, 34);  // the tenth block
  }
  const size_t at = bytes.find(block);
  BOOST_REQUIRE(at != bytes.npos);
  bytes.replace(at, 34, std::string(34, '\0'));
  fs::remove(gguf);
  write_text_file(gguf, bytes);
  said = certified(gguf, "damaged");
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "blocks in Q8_0"), said.err);
  // Rows of 128 numbers are four blocks.
  BOOST_TEST(holds(said.err, "model.layers.1.mlp.up_proj.weight, row 2, columns 32 to 63"),
             said.err);
  const Json damaged = certificate_in(folder / "damaged.json");
  BOOST_TEST(damaged.at("files").size() == 1u);

  // A folder in two shards: each is hashed, each number compared.
  const std::string hf = folder / "hf", first = hf + "/model-00001-of-00002.safetensors",
                    second = hf + "/model-00002-of-00002.safetensors";
  said = asked({"export", "--to", "hf", "--out", hf});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  {
    const Safetensors whole(hf);
    Json map = Json::object();
    for (const std::string& path : {first, second}) {
      SafetensorsWriter writer(path);
      std::vector<const StoredTensor*> mine;
      for (size_t i = path == second; i < whole.tensors().size(); i += 2)
        mine.push_back(&whole.tensors()[i]);
      for (auto* t : mine) writer.declare(t->name, t->type, t->shape);
      for (auto* t : mine) {
        map[t->name] = fs::path(path).filename().string();
        writer.write(t->name, t->data, t->bytes);
      }
      writer.commit();
    }
    write_text_file(hf + "/model.safetensors.index.json",
                    to_text(Json{{"metadata", Json::object()}, {"weight_map", map}}));
  }
  fs::remove(hf + "/model.safetensors");
  said = certified(hf, "shards");
  BOOST_TEST(said.status == 0, said.err);
  std::map<std::string, std::string> hashes;
  const Json shards = certificate_in(folder / "shards.json");
  for (const Json& one : shards.at("files")) hashes[one.at("name")] = one.at("sha256");
  for (const std::string& path : {first, second, hf + "/config.json", hf + "/tokenizer.json"})
    BOOST_TEST(hashes[fs::path(path).filename().string()] == sha256_file(path), path);
  BOOST_TEST(hashes.count("certificate.json") == 0u);
  bytes = read_text_file(second);
  bytes[bytes.size() - 2] = char(bytes[bytes.size() - 2] ^ 64);  // of the last number
  write_text_file(second, bytes);
  said = certified(hf, "changed");
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "numbers in F32"), said.err);
}

// An adapter for PEFT that names another base, and one with another template.
BOOST_AUTO_TEST_CASE(what_comes_with_an_adapter_is_compared) {
  ScratchFolder folder;
  const std::string peft = folder / "peft", config = peft + "/adapter_config.json";
  fs::copy(trained().adapter, peft, fs::copy_options::recursive);
  auto certified = [&](const std::string& name) {
    return run({"certify", peft, "--against", pocket, "--adapter", trained().adapter, "--text",
                "Hi.", "--out", folder / name});
  };
  Json json = parse_json_file(config);
  json["base_model_name_or_path"] = "somebody/another-model";
  write_text_file(config, to_text(json));
  Said said = certified("base");
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "names 'somebody/another-model'"), said.out);
  json["base_model_name_or_path"] = source + "/test/stored/tiny/llama";
  write_text_file(config, to_text(json));
  write_text_file(peft + "/chat_template.jinja",
                  "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}");
  said = certified("template");
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "base model ("), said.err);
  BOOST_TEST(holds(said.err, "tokens ("), said.err);
  // A number of the adapter that is another.
  fs::remove(peft + "/chat_template.jinja");
  fs::copy(config, folder / "config.json");
  fs::copy(trained().adapter + "/adapter_config.json", config,
           fs::copy_options::overwrite_existing);
  std::string bytes = read_text_file(peft + "/adapter_model.safetensors");
  bytes[bytes.size() - 3] = char(bytes[bytes.size() - 3] ^ 1);
  write_text_file(peft + "/adapter_model.safetensors", bytes);
  said = certified("number");
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "numbers in F32"), said.err);
}

// 1 says that a check does not hold; what cannot be compared at all is 2, before any work.
BOOST_AUTO_TEST_CASE(what_cannot_be_certified) {
  ScratchFolder folder;
  auto says = [&](const std::string& file, const std::string& out, const std::string& part) {
    const Said said = run({"certify", file, "--against", pocket, "--out", out});
    BOOST_TEST(said.status == 2, said.err);
    BOOST_TEST(holds(said.err, part), said.err);
    BOOST_TEST(said.out == "");
  };
  says(folder / "none.gguf", folder / "c", "no such file or folder");
  says(pocket, folder / "no/c", "there is no folder");
  says(folder.put("junk.gguf", "junk"), folder / "c", "junk.gguf");
  folder.put("c.json", "{}");
  says(pocket, folder / "c", "exists already");
  says(pocket, folder / "c.html", "exists already");
  // In a folder it is called certificate.
  folder.put("certificate.html", "");
  says(pocket, folder.path() + "/", "certificate.html: exists already");
  says(pocket, folder / "none/", "there is no folder");
  // Export refuses what is in its way before it computes, too.
  folder.put("m.certificate.json", "{}");
  const Said late = run({"export", "--model", pocket, "--to", "gguf", "--out", folder / "m.gguf"});
  BOOST_TEST(late.status == 1);
  BOOST_TEST(holds(late.err, "m.certificate.json: exists already"), late.err);
  BOOST_TEST(late.out == "");
}

// What is merged into is the base that was trained over, not the file's numbers.
BOOST_AUTO_TEST_CASE(a_base_in_four_bits) {
  ScratchFolder folder;
  const std::string hf = folder / "hf";
  auto over = [&](Words words, const char* base) {
    words.insert(words.end(), {"--adapter", trained().adapter, "--base", base, "--text", "Hi."});
    return run(words);
  };
  Said said = over({"export", "--model", pocket, "--to", "hf", "--out", hf}, "nf4");
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "trained over --base nf4"), said.out);
  const std::string name = folder / "a";
  said = over({"certify", hf, "--against", pocket, "--out", name}, "nf4");
  BOOST_TEST(said.status == 0, said.err);
  said = over({"certify", hf, "--against", pocket, "--out", folder / "b"}, "plain");
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "weights in F32"), said.err);
  for (const Words& form :
       {Words{"--to", "gguf", "--type", "q8_0"}, {"--to", "gguf-lora"}, {"--to", "peft"}}) {
    Words words = {"export", "--model", pocket, "--out", folder / form[1]};
    words.insert(words.end(), form.begin(), form.end());
    said = over(words, "nf4");
    BOOST_TEST(said.status == 0, form[1] << ": " << said.err);
  }
  const std::string other = folder / "c";
  said = run({"certify", hf, "--against", pocket, "--base", "nf4", "--out", other});
  BOOST_TEST(said.status == 2);
  BOOST_TEST(holds(said.err, "--base is the form of the base that --adapter was trained over"),
             said.err);
}
// A run knows the form of its base.
BOOST_AUTO_TEST_CASE(a_run_over_a_base_in_four_bits) {
  ScratchFolder folder;
  const std::string over = folder / "run", merged = folder / "merged";
  train_small(over, {"--generations", "0", "--method", "lora:rank=4", "--base", "nf4"});
  Said said = run({"merge", "--model", pocket, "--adapter", over + "/adapter", "--base", "nf4",
                   "--out", merged});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(!holds(said.out, "was trained over --base"), said.out);
  said = run({"merge", "--model", pocket, "--adapter", over + "/adapter", "--out", folder / "b"});
  BOOST_TEST(holds(said.out, "was trained over --base nf4"), said.out);
  said = run({"certify", merged, "--against", over, "--text", "Hi.", "--out", folder / "a"});
  BOOST_TEST(said.status == 0, said.err);
}
// What a method trains of the base is plain, so that it begins as another model than the base does;
// what is stored of it is opened again.
BOOST_AUTO_TEST_CASE(a_run_that_trains_some_of_a_base_in_four_bits) {
  for (const Words& some : {Words{"last:k=1"}, Words{"embeddings", "--base-ends", "on"}}) {
    ScratchFolder folder;
    const std::string over = folder / "run";
    Words words = {"--generations", "0", "--base", "nf4", "--method"};
    words.insert(words.end(), some.begin(), some.end());
    const std::string out = train_small(over, words).out;
    if (some[0] == "embeddings")  // of the last layer the difference is small
      BOOST_TEST(holds(out, "embeddings trains matrices of the base, which are held plainly"), out);
    Words ask = {"eval", "--model", pocket, "--adapter", over + "/adapter", "--ids", "1,2,3"};
    const Said other = run(ask);
    BOOST_TEST(other.status == 1);
    BOOST_TEST(holds(other.err, "trained over --base nf4"), other.err);
    ask.insert(ask.end(), {"--base", "nf4"});
    ask.insert(ask.end(), some.begin() + 1, some.end());
    const Said said = run(ask);
    BOOST_TEST(said.status == 0, some[0] << ": " << said.err);
  }
}
// An adapter knows the form of its base wherever it lies: every command that opens it over another
// base says so.
BOOST_AUTO_TEST_CASE(an_adapter_over_a_base_in_four_bits) {
  ScratchFolder folder;
  const std::string adapter = folder / "moved", data = source + "/data/samples/support.jsonl",
                    says =
                        "moved was trained over --base nf4 --base-ends on, and the base is "
                        "--base plain here";
  {
    ModelFiles files = open_model(pocket);
    save_adapter(adapter,
                 *build_model(files.config, *files.source, make_method(parse_method("lora:rank=2")),
                              {.base = {BaseForm::nf4, true}}),
                 pocket);
  }
  const Words right = {"--base", "nf4", "--base-ends", "on"};
  const std::vector<Words> commands = {
      {"eval", "--ids", "1,2,3"},
      {"eval", "--ids", "1,2,3", "--adapter", trained().adapter},
      {"generate", "--raw", "--prompt", "A", "--max-tokens", "1"},
      {"judge", "--data", data, "--limit", "1", "--max-tokens", "1"},
      {"show", "--data", data, "--loss", "--length", "256", "--on-problem", "skip"},
      {"inspect"}};
  for (Words command : commands) {
    const bool two = command.size() > 3 && command[3] == "--adapter";
    command.insert(command.end(), {"--model", pocket, "--adapter", adapter});
    Said said = run(command);
    BOOST_REQUIRE_MESSAGE(said.status == 0, command[0] << ": " << said.err);
    std::string all = said.out + said.err;
    std::replace(all.begin(), all.end(), '\n', ' ');
    while (holds(all, "  ")) all.erase(all.find("  "), 1);
    BOOST_TEST(holds(all, says), command[0] << ": " << all);
    BOOST_TEST(!holds(all, trained().adapter + " was trained"), command[0]);
    command.insert(command.end(), right.begin(), right.end());
    said = run(command);
    BOOST_REQUIRE_MESSAGE(said.status == 0, command[0] << ": " << said.err);
    BOOST_TEST(!holds(said.out + said.err, "moved was trained over --base nf4, and"), command[0]);
    if (two)  // the other one was trained over the file's numbers
      BOOST_TEST(holds(said.err, "was trained over --base plain, and the base is --base nf4"),
                 said.err);
  }
  Words merge = {"merge", "--model", pocket, "--adapter", adapter, "--text", "Hi."};
  auto into = [&](Words words, const std::string& out) {
    words.insert(words.end(), {"--out", folder / out});
    const Said said = run(words);
    BOOST_TEST(said.status == 0, said.err);
    return said.out;
  };
  BOOST_TEST(holds(into(merge, "m1"), says));
  merge.insert(merge.end(), {"--as", "adapter"});
  into(merge, "m2");
  const AdapterFiles sum = load_adapter(folder / "m2");
  BOOST_TEST((sum.over && sum.over->form == BaseForm::nf4 && sum.over->ends));
  // Export takes its word, unless another form is meant.
  Words export_it = {"export", "--model", pocket,   "--adapter", adapter,
                     "--to",   "hf",      "--text", "Hi."};
  BOOST_TEST(
      holds(into(export_it, "e1"), "trained over --base nf4 --base-ends on: what is merged"));
  export_it.insert(export_it.end(), {"--base", "plain"});
  BOOST_TEST(holds(into(export_it, "e2"), "was trained over --base nf4 --base-ends on"));
}

BOOST_AUTO_TEST_SUITE_END()
