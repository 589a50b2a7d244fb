// What --adapter may say: folders, names, sums, and every way to say it wrong.
#include "tools/runs/adapters.h"

#include <filesystem>

#include "model/files/save.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

using namespace afina;

namespace {

std::string said(const AdapterChoice& choice) {
  std::string all = choice.name + " =";
  for (auto& part : choice.parts) all += " " + part.path + "*" + std::to_string(part.weight);
  return all + (choice.combined ? " summed" : "");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(adapters)

BOOST_AUTO_TEST_CASE(choices_are_read) {
  ScratchFolder folder;
  const std::string at = folder.path();
  for (const char* name : {"a", "b", "b/adapter", "b/model", "c:0.5", "d+e", "f=g", "h:1+i"})
    std::filesystem::create_directories(at + "/" + name);
  auto read = [&](const std::string& text) { return said(adapter_choice(text)); };
  BOOST_TEST(read(at + "/a") == "a = " + at + "/a*1.000000");
  BOOST_TEST(read(at + "/a/") == "a = " + at + "/a/*1.000000");
  BOOST_TEST(read(at + "/b/adapter") == "b = " + at + "/b/adapter*1.000000");
  BOOST_TEST(read("x=" + at + "/a") == "x = " + at + "/a*1.000000");
  // A folder is taken for what it is called.
  BOOST_TEST(read(at + "/c:0.5") == "c:0.5 = " + at + "/c:0.5*1.000000");
  BOOST_TEST(read(at + "/d+e") == "d+e = " + at + "/d+e*1.000000");
  BOOST_TEST(read(at + "/f=g") == "f=g = " + at + "/f=g*1.000000");
  BOOST_TEST(read(at + "/h:1+i") == "h:1+i = " + at + "/h:1+i*1.000000");
  // Sums.
  BOOST_TEST(read(at + "/a:0.5") == "a:0.5 = " + at + "/a*0.500000 summed");
  BOOST_TEST(read(at + "/a:0.5+" + at + "/b/adapter:-1.5") ==
             "a:0.5+b:-1.5 = " + at + "/a*0.500000 " + at + "/b/adapter*-1.500000 summed");
  BOOST_TEST(read("x=" + at + "/a:2+" + at + "/d+e:1e-1") ==
             "x = " + at + "/a*2.000000 " + at + "/d+e*0.100000 summed");
  BOOST_TEST(read(at + "/c:0.5:2") == "c:0.5:2 = " + at + "/c:0.5*2.000000 summed");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_meant_is_refused) {
  ScratchFolder folder;
  const std::string a = folder / "a", b = folder / "b", base = folder / "base";
  for (const std::string& path : {a, b, base}) std::filesystem::create_directory(path);
  auto refused = [](const std::vector<std::string>& texts,
                    std::initializer_list<std::string> words) {
    BOOST_CHECK_THROW(adapter_choices(texts), UsageError);
    check_error([&] { adapter_choices(texts); }, words);
  };
  refused({""}, {"empty"});
  refused({a + ":0"}, {"weight of 0", "leave it out"});
  refused({a + ":nan"}, {"nan is no number of f32"});
  refused({a + ":1e39"}, {"1e+39 is no number of f32"});
  refused({a + ":inf+" + b + ":1"}, {"inf is no number of f32"});
  refused({a + ":half"}, {"'half' is no weight"});
  refused({a + ":0.5+" + a + "/:0.5"}, {"named twice", "sum of the weights"});
  refused({a + "+" + b}, {"a weight behind each"});
  refused({a + ":0.5+" + b}, {"a weight behind each"});
  refused({a, a}, {"second adapter of the name 'a'", "NAME=FOLDER"});
  refused({"x=" + a, "x=" + b}, {"second adapter of the name 'x'"});
  refused({base, a}, {"'base'", "without an adapter"});
  BOOST_TEST(adapter_choices({base}).size() == 1u);
  refused({"=" + a}, {"NAME=FOLDER"});
  refused({"..=" + a}, {"no name"});
  BOOST_TEST(adapter_choices({"x=" + a, "y=" + a}).size() == 2u);
}

// Twenty over one model, of which each is there at once, and a folder that is no adapter.
BOOST_AUTO_TEST_CASE(many_are_loaded_beside_each_other) {
  const std::string lora = tiny_path("llama") + "/adapter_lora";
  ModelFiles files = open_model(tiny_path("llama"));
  std::vector<std::string> texts;
  for (int i = 0; i < 20; ++i)
    texts.push_back("n" + std::to_string(i) + "=" + lora + ":" + std::to_string(i + 1));
  auto live = load_live(files, adapter_choices(texts), Dtype::f32);
  BOOST_TEST(live->names().size() == 20u);
  const auto alone = load_model(files, lora, Dtype::f32);
  auto logits = [](Model& model) { return model.logits(make_inputs({1, 2, 3})).values(); };
  BOOST_TEST(distance(logits(live->model("n0")), logits(*alone)) < 1e-6);
  BOOST_TEST(distance(logits(live->model("n1")), logits(*alone)) > 1e-3);
  BOOST_TEST((logits(live->model("base")) == logits(*load_model(files, "", Dtype::f32))));

  ScratchFolder folder;
  const std::string none = folder / "none", damaged = folder / "damaged";
  std::filesystem::create_directory(none);
  check_error(
      [&] {
        load_live(files, adapter_choices({lora, none}), Dtype::f32);
      },
      {none, "no adapter_config.json"});
  std::filesystem::copy(lora, damaged);
  std::filesystem::resize_file(damaged + "/adapter_model.safetensors", 300);
  check_error([&] { load_live(files, adapter_choices({lora, damaged}), Dtype::f32); }, {damaged});
}

BOOST_AUTO_TEST_CASE(a_sum_has_the_template_that_its_parts_share) {
  ScratchFolder folder;
  const std::string a = folder / "a", b = folder / "b";
  for (const std::string& path : {a, b}) std::filesystem::create_directory(path);
  const AdapterChoice sum = adapter_choice(a + ":0.5+" + b + ":0.5");
  BOOST_TEST(template_folder(sum) == "");
  folder.put("a/chat_template.jinja", "{{ messages }}");
  check_error([&] { template_folder(sum); }, {"another chat template", b});
  folder.put("b/chat_template.jinja", "{{ messages }}");
  BOOST_TEST(template_folder(sum) == a);
}

BOOST_AUTO_TEST_SUITE_END()
