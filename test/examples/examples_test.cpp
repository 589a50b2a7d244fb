// The examples print what their README says.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

BOOST_AUTO_TEST_SUITE(examples)

BOOST_AUTO_TEST_CASE(every_example_prints_what_its_readme_says) {
  const std::string root = AFINA_SOURCE_DIR,
                    build =
                        std::filesystem::path(AFINA_PROGRAM).parent_path().string() + "/examples";
  if (!std::filesystem::exists(build + "/train")) return;  // programs that were carried elsewhere
  const std::string command = "'" + root + "/test/examples.sh' '" + root +
                              "/examples/README.md' '" + build + "' '" + root + "/data'";
  BOOST_TEST(std::system(command.c_str()) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
