#include "internal/config/yaml_file.h"

#include <gtest/gtest.h>

#include "tests/internal/config/scratch_folder.h"

namespace gpumon::config {
namespace {

using Texts = std::map<std::string, std::string>;

Result<std::map<std::string, FileValue>> ReadValues(std::string_view text) {
  const ScratchFolder folder;
  const std::string path = folder.Write("c.yaml", text);
  const auto read = ReadYamlText(path);
  if (!read) return Error(read.error());
  return ParseYaml(*read, path);
}

Result<Texts> Read(std::string_view text) {
  auto values = ReadValues(text);
  if (!values) return Error(std::move(values).error());
  Texts texts;
  for (const auto& [key, value] : *values) texts.emplace(key, value.text);
  return texts;
}

TEST(YamlFileTest, SaysWhereEachKeyAndValueStands) {
  const auto values = ReadValues("a: 1\n\nb:\n  - x\n");
  ASSERT_TRUE(values);
  EXPECT_TRUE(values->at("a").key_at.ends_with("c.yaml:1:1"));
  EXPECT_TRUE(values->at("a").value_at.ends_with("c.yaml:1:4"));
  EXPECT_FALSE(values->at("a").is_list);
  EXPECT_TRUE(values->at("b").key_at.ends_with("c.yaml:3:1"));
  EXPECT_TRUE(values->at("b").value_at.ends_with("c.yaml:4:3"));
  EXPECT_TRUE(values->at("b").is_list);
}

TEST(YamlFileTest, ReadsScalarsListsAndNulls) {
  const auto texts = Read("a: 1\nb: \"two: 2\"\nc: [x, y]\nd:\n  - z\ne:\nf: ~\n# comment\n");
  ASSERT_TRUE(texts);
  EXPECT_EQ(*texts,
            (Texts{{"a", "1"}, {"b", "two: 2"}, {"c", "x,y"}, {"d", "z"}, {"e", ""}, {"f", ""}}));
}

TEST(YamlFileTest, AnEmptyFileSetsNothing) {
  EXPECT_EQ(Read("").value(), Texts{});
  EXPECT_EQ(Read("# only a comment\n").value(), Texts{});
}

TEST(YamlFileTest, RefusesWhatIsNotOneFlatMapping) {
  for (const char* text :
       {"- a\n", "a\n", "a: {b: c}\n", "a: [[b]]\n", "a: [\"b,c\"]\n", "? [a]\n: b\n",
        "a: 1\na: 2\n", "a: 1\n---\nb: 2\n", "a: [1\n", "\ta: 1\n", "a: *nothing\n"}) {
    const auto texts = Read(text);
    ASSERT_FALSE(texts) << text;
    EXPECT_EQ(texts.error().code, Code::kInvalidParameter);
    EXPECT_EQ(texts.error().message.find('\n'), std::string::npos);
  }
}

TEST(YamlFileTest, NamesTheLineAndColumn) {
  const auto texts = Read("a: 1\nb: {c: d}\n");
  ASSERT_FALSE(texts);
  EXPECT_NE(texts.error().message.find("c.yaml:2:4 "), std::string::npos) << texts.error().message;
}

TEST(YamlFileTest, RefusesAHugeOrDeepFile) {
  EXPECT_NE(Read(std::string((1U << 20U) + 1, '#')).error().message.find("larger than 1 MiB"),
            std::string::npos);
  EXPECT_FALSE(Read("a: " + std::string(100'000, '[')));
}

TEST(YamlFileTest, RefusesAFileThatCannotBeRead) {
  EXPECT_EQ(ReadYamlText("/does/not/exist").error().message,
            "cannot be read: No such file or directory");
  EXPECT_FALSE(ReadYamlText("/"));
}

}  // namespace
}  // namespace gpumon::config
