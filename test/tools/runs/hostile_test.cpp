// A model folder from a stranger reads and writes nothing outside of itself.
#include <sys/stat.h>

#include "data/tokenizer/tokenizer.h"
#include "engine/files/atomic_file.h"
#include "engine/files/folder_file.h"
#include "model/files/save.h"
#include "test/model/tiny.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/text/format.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

const std::string adapter = tiny_path("llama") + "/adapter_lora",
                  pocket = AFINA_SOURCE_DIR "/data/pocket";

// A folder as people download them: a model, its tokenizer and an adapter for it.
struct Downloaded {
  ScratchFolder place;
  std::string path = place / "model", outside = place / "outside";
  Downloaded() {
    fs::create_directory(path);
    fs::create_directory(outside);
    for (const char* name : {"config.json", "model.safetensors"})
      fs::copy_file(tiny_path("llama") + "/" + name, path + "/" + name);
    for (const char* name : {"tokenizer.json", "tokenizer_config.json"})
      fs::copy_file(pocket + "/" + name, path + "/" + name);
    for (const char* name : {"adapter_config.json", "adapter_model.safetensors"})
      fs::copy_file(adapter + "/" + name, path + "/" + name);
  }
  // Everything that is read of it.
  void read() const {
    tiny_model(path);
    Tokenizer::from_file(path);
    load_adapter(path);
  }
  // Moves a file and puts a link to it in its place.
  void link(const std::string& name, const std::string& to_folder,
            const std::string& through) const {
    fs::create_directories(to_folder);
    fs::rename(path + "/" + name, to_folder + "/" + name);
    fs::create_symlink(through + "/" + name, path + "/" + name);
  }
};

const char* const files_read[] = {"config.json",         "model.safetensors",
                                  "tokenizer.json",      "tokenizer_config.json",
                                  "adapter_config.json", "adapter_model.safetensors"};

}  // namespace

BOOST_AUTO_TEST_SUITE(hostile)

BOOST_AUTO_TEST_CASE(links_that_leave_the_folder_are_not_followed) {
  Downloaded().read();
  for (const char* name : files_read)
    for (bool absolute : {true, false}) {
      Downloaded model;
      model.link(name, model.outside, absolute ? model.outside : "../outside");
      check_error([&] { model.read(); },
                  {std::string("model/") + name, "leads out of the folder, to", "outside"});
    }
  // A folder that is a link is the user's own word; a link within it is harmless.
  Downloaded inside;
  for (const char* name : files_read) inside.link(name, inside.path + "/files", "files");
  fs::create_directory_symlink(inside.path, inside.place / "alias");
  inside.path = inside.place / "alias";
  inside.read();
  // A chain of links, the last of which leaves.
  Downloaded chain;
  chain.link("config.json", chain.path + "/a", "a");
  fs::rename(chain.path + "/a/config.json", chain.outside + "/config.json");
  fs::create_symlink("../../outside/config.json", chain.path + "/a/config.json");
  check_error([&] { chain.read(); }, {"config.json", "leads out of the folder"});
  // One to itself.
  Downloaded loop;
  fs::remove(loop.path + "/config.json");
  fs::create_symlink("config.json", loop.path + "/config.json");
  check_error([&] { loop.read(); }, {"config.json"});
}

BOOST_AUTO_TEST_CASE(the_cache_of_hugging_face_is_made_of_links) {
  Downloaded model;
  std::string hub = model.place / "models--author--name";
  fs::create_directories(hub + "/snapshots");
  fs::rename(model.path, hub + "/snapshots/0123");
  model.path = hub + "/snapshots/0123";
  for (const char* name : files_read) model.link(name, hub + "/blobs", "../../blobs");
  model.read();
  // But not to what lies beside the blobs.
  fs::create_directory(hub + "/other");
  fs::copy_file(hub + "/blobs/config.json", hub + "/other/config.json");
  fs::remove(model.path + "/config.json");
  fs::create_symlink("../../other/config.json", model.path + "/config.json");
  check_error([&] { model.read(); }, {"leads out of the folder"});
}

// Opening a pipe would wait for ever, a device could be read for ever.
BOOST_AUTO_TEST_CASE(pipes_devices_and_folders_are_no_files) {
  for (const char* name : files_read) {
    Downloaded model;
    fs::remove(model.path + "/" + name);
    BOOST_REQUIRE(::mkfifo((model.path + "/" + name).c_str(), 0600) == 0);
    check_error([&] { model.read(); }, {name, "pipe or device"});
    fs::remove(model.path + "/" + name);
    fs::create_directory(model.path + "/" + name);
    check_error([&] { model.read(); }, {name, "a folder"});
    fs::remove(model.path + "/" + name);
    fs::create_symlink("/dev/zero", model.path + "/" + name);
    check_error([&] { model.read(); }, {name});
  }
}

BOOST_AUTO_TEST_CASE(shards_lie_in_the_folder) {
  Reference reference(tiny_path("llama"));
  std::vector<std::string> names;
  for (const StoredTensor& t : reference.tensors()) names.push_back(t.name);
  for (std::string shard : {"../outside/model.safetensors", "/OUTSIDE/model.safetensors",
                            "link.safetensors", "a/../../outside/model.safetensors"}) {
    Downloaded model;
    fs::rename(model.path + "/model.safetensors", model.outside + "/model.safetensors");
    fs::create_symlink("../outside/model.safetensors", model.path + "/link.safetensors");
    if (shard[0] == '/') shard = model.outside + "/model.safetensors";
    Json map = Json::object();
    for (const std::string& name : names) map[name] = shard;
    write_text_file(model.path + "/model.safetensors.index.json", Json{{"weight_map", map}}.dump());
    check_error(
        [&] { tiny_model(model.path); },
        {shard == "link.safetensors" ? "leads out of the folder" : "file in the same folder"});
  }
}

// A tensor's name is never a path: what is written is the one file that was asked for.
BOOST_AUTO_TEST_CASE(names_of_tensors_make_no_files) {
  ScratchFolder folder;
  fs::create_directory(folder / "deep");
  {
    SafetensorsWriter writer(folder / "deep/out.safetensors");
    const char* const names[] = {"../escaped", "/tmp/afina-escaped", "../../x.weight"};
    for (const char* name : names) writer.declare(name, StoredType::u8, {1});
    for (const char* name : names) writer.write(name, "x", 1);
    writer.commit();
  }
  BOOST_TEST(Safetensors(folder / "deep/out.safetensors").tensors().size() == 3u);
  BOOST_TEST(folder.entries() == 1u);
  BOOST_TEST(!fs::exists("/tmp/afina-escaped"));
  // Nor do they come into a model that is written: what has no place in it is refused when it is
  // read.
  Downloaded model;
  fs::copy_file(folder / "deep/out.safetensors", model.path + "/model.safetensors",
                fs::copy_options::overwrite_existing);
  BOOST_CHECK_THROW(tiny_model(model.path), Error);
}

// A link where something is to be written is replaced; what it leads to stays as it is.
BOOST_AUTO_TEST_CASE(nothing_is_written_through_a_link) {
  ScratchFolder folder;
  std::string victim = folder.put("victim", "untouched");
  fs::create_directory(folder / "out");
  for (const char* name :
       {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"})
    fs::create_symlink(victim, folder / "out/" + name);
  save_model(folder / "out", *tiny_model(tiny_path("llama")), Dtype::f32);
  Tokenizer::from_file(pocket).save(folder / "out");
  BOOST_TEST(read_text_file(victim) == "untouched");
  BOOST_TEST(!fs::is_symlink(folder / "out/config.json"));
  tiny_model(folder / "out");
}

// What a terminal would obey does not reach it out of a stranger's file.
BOOST_AUTO_TEST_CASE(names_do_not_command_the_terminal) {
  Downloaded model;
  Json config = parse_json_file(model.path + "/config.json");
  config["hidden_act"] = "\x1b[2J\x1b]0;owned\x07\xc2\x9b";
  write_text_file(model.path + "/config.json", config.dump());
  Said said = run({"inspect", "--model", model.path});
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "hidden_act"), said.err);
  for (const char* obeyed : {"\x1b", "\x07", "\xc2\x9b"})
    BOOST_TEST(!holds(said.err, obeyed), said.err);
  BOOST_TEST(harmless("a\tb\n\xc3\xa9\x1b\x7f") == "a\tb\n\xc3\xa9\\x1b\\x7f");
}

// A config may promise a model of terabytes: it is refused, or only looked at, before memory is
// taken.
BOOST_AUTO_TEST_CASE(promises_of_terabytes_take_no_memory) {
  Downloaded model;
  Json config = parse_json_file(model.path + "/config.json");
  config["hidden_size"] = 1 << 20;
  config["intermediate_size"] = 1 << 20;
  config["vocab_size"] = 1 << 22;
  write_text_file(model.path + "/config.json", config.dump());
  int64_t before = memory_use(Device::cpu).total;
  reset_memory_peak(Device::cpu);
  check_error([&] { tiny_model(model.path); }, {"the config asks for"});
  BOOST_TEST(holds(run({"inspect", "--model", model.path}).err, "the config asks for"));
  BOOST_TEST(memory_use(Device::cpu).total_peak - before < 1 << 20);
}

// The folder of a run is named after its method; a method's text cannot lead it elsewhere.
BOOST_AUTO_TEST_CASE(names_of_runs_stay_in_the_folder_of_the_comparison) {
  ScratchFolder folder;
  std::string out = folder / "a/b/out";
  Said said = run(
      words("compare", out,
            {"--method", "lora:rank=2,targets=re:(../../../x|.*q_proj),lr=1e-3", "--steps", "2"}));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(folder.entries() == 1u);
  for (auto& entry : fs::recursive_directory_iterator(folder.path()))
    if (entry.is_regular_file()) BOOST_TEST(entry.path().string().starts_with(out), entry.path());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
