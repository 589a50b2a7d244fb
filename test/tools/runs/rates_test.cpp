// Learning rates inside a method's text, and labels.
#include "tools/runs/rates.h"

#include <boost/test/unit_test.hpp>

#include "engine/error.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(rates)

BOOST_AUTO_TEST_CASE(are_taken_out_of_the_method) {
  MethodSpec spec = parse_method("lora:rank=8,lr=1e-4/3e-4/1e-3");
  BOOST_TEST(take_rates(spec, 0.) == (std::vector<double>{1e-4, 3e-4, 1e-3}));
  BOOST_TEST(!spec.options.count("lr"));
  BOOST_TEST(label_of(spec) == "LoRA r 8");
  MethodSpec plain = parse_method("full");
  BOOST_TEST(take_rates(plain, 2e-5) == std::vector<double>{2e-5});
  BOOST_CHECK_THROW(take_rates(plain, 0.), Error);
  for (const char* wrong : {"full:lr=x", "full:lr=0", "full:lr=-1", "full:lr=1e9"}) {
    MethodSpec bad = parse_method(wrong);
    BOOST_CHECK_THROW(take_rates(bad, 1.), Error);
  }
}

BOOST_AUTO_TEST_CASE(methods_are_called_as_people_write_them_or_as_their_user_says) {
  for (auto [text, label] : {
           std::pair{"full", "full"},
           {"lora:alpha=32,rank=16", "LoRA r 16, alpha 32"},
           {"lora:targets=q_proj+v_proj,rank=8", "LoRA r 8, targets q_proj+v_proj"},
           {"lora:rank=8,rslora=true", "LoRA r 8, rslora"},
           {"lora", "LoRA"},
           {"prefix:tokens=20", "prefix tuning 20 tokens"},
           {"dora:dropout=0.1", "DoRA, dropout 0.1"},
           {"lora:rank=8,name=small one", "small one"},
       })
    BOOST_TEST(label_of(parse_method(text)) == label);
  // A name is no part of the method.
  const MethodSpec named = parse_method("lora:rank=8,name=small"),
                   bare = parse_method("lora:rank=8");
  BOOST_TEST(named.options == bare.options);
  BOOST_TEST(key_of(named) == key_of(bare));
  BOOST_TEST(key_of(bare) == "lora rank=8");
  for (const char* wrong : {"lora:name=", "lora:name=a,name=b", "lora:name=\033[2J"})
    BOOST_CHECK_THROW(parse_method(wrong), Error);
}

BOOST_AUTO_TEST_SUITE_END()
