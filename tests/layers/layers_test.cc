#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/layers/tree_rules.h"

namespace gpumon {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::filesystem::path kRoot = GPUMON_SOURCE_DIR;

TEST(LayersTest, TheTreeKeepsItsLayersLibrariesAndSizes) {
  const TreeRules rules(ReadAll(kRoot / "tests/layers/layers.txt"));
  EXPECT_THAT(rules.Offences(kRoot), IsEmpty());
}

TEST(LayersTest, ReadsTheWholeTree) {
  EXPECT_THAT(TreeRules::Sources(kRoot), Contains("internal/base/status.h"));
  EXPECT_THAT(TreeRules::Sources(kRoot), Contains("tests/layers/layers_test.cc"));
}

// A small tree with one offence of each kind.
class TreeRulesTest : public testing::Test {
 protected:
  TreeRulesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "gpumon-layers-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    root_ = name;
  }
  ~TreeRulesTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  std::vector<std::string> Offences() const { return rules_.Offences(root_); }

  std::filesystem::path root_;
  const TreeRules rules_{
      "layer cmd/tool\nlayer internal/up internal/beside\nlayer internal/down\n"
      "library internal/up boost/ zlib.h\nlibrary tests gtest/\nsystem sys/\n"
      "generated version.h\nlines .h 3\nlines main.cc 2\n"};
};

TEST_F(TreeRulesTest, DownItselfAndTheStandardAreFree) {
  Write("internal/up/a.cc",
        "#include \"internal/up/b.h\"\n#include \"internal/down/c.h\"\n#include <vector>\n"
        "#include <sys/stat.h>\n#include <unistd.h>\n#include <boost/x.hpp>\n#include <zlib.h>\n");
  Write("cmd/tool/main.cc", "#include \"internal/down/c.h\"\n#include \"version.h\"\n");
  Write("tests/internal/up/a_test.cc",
        "#include <gtest/gtest.h>\n#include <boost/x.hpp>\n#include \"tests/fakes/f.h\"\n"
        "#include \"internal/up/b.h\"\n");
  EXPECT_THAT(Offences(), IsEmpty());
}

TEST_F(TreeRulesTest, ArrowsPointDown) {
  Write("internal/down/a.cc", "\n#include \"internal/up/b.h\"\n");
  Write("internal/up/a.cc", "  #  include \"internal/beside/b.h\"\n");
  EXPECT_THAT(Offences(),
              ElementsAre("internal/down/a.cc:2: includes internal/up/b.h: arrows point down",
                          "internal/up/a.cc:1: includes internal/beside/b.h: arrows point down"));
}

TEST_F(TreeRulesTest, ALibraryHasOneFolder) {
  Write("internal/down/a.cc",
        "#include <boost/x.hpp>\n#include <zlib.h>\n#include <gtest/gtest.h>\n");
  Write("internal/up/a.cc", "#include <folly/x.h>\n");
  Write("tests/internal/down/a_test.cc", "#include <boost/x.hpp>\n#include <folly/x.h>\n");
  EXPECT_THAT(
      Offences(),
      ElementsAre("internal/down/a.cc:1: includes boost/x.hpp: boost/ belongs to internal/up",
                  "internal/down/a.cc:2: includes zlib.h: zlib.h belongs to internal/up",
                  "internal/down/a.cc:3: includes gtest/gtest.h: gtest/ belongs to tests",
                  "internal/up/a.cc:1: includes folly/x.h: no library of layers.txt",
                  "tests/internal/down/a_test.cc:2: includes folly/x.h: no library of layers.txt"));
}

TEST_F(TreeRulesTest, TheProductKnowsNoTestsAndEveryFolderIsListed) {
  Write("internal/up/a.cc", "#include \"tests/fakes/f.h\"\n#include \"b.h\"\n");
  Write("internal/new/a.cc", "");
  EXPECT_THAT(
      Offences(),
      ElementsAre("internal/new/a.cc:1: lies in no folder of layers.txt",
                  "internal/up/a.cc:1: includes tests/fakes/f.h: tests are not part of the product",
                  "internal/up/a.cc:2: includes b.h: write the path from the root, in a folder of "
                  "layers.txt"));
}

TEST_F(TreeRulesTest, FilesHaveASize) {
  Write("internal/up/a.h", "\n\n\n\n");
  Write("internal/up/b.h", "\n\n\n");
  Write("internal/up/a.cc", std::string(1000, '\n'));
  Write("cmd/tool/main.cc", "\n\n\n");
  Write("tests/a.h", "\n\n\n\n");
  EXPECT_THAT(Offences(), ElementsAre("cmd/tool/main.cc:3: has 3 lines, at most 2",
                                      "internal/up/a.h:4: has 4 lines, at most 3"));
}

}  // namespace
}  // namespace gpumon
