#include "internal/prom/promql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/text.h"

namespace gpumon::prom {
namespace {

constexpr std::array<std::string_view, 3> kLabels = {"node", "gpu", "pid"};

// What PromQL's lexer and Go's unquoting make of a string in double quotes; nothing when they
// refuse it.
std::optional<std::string> Unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  if (!IsValidUtf8(text)) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' || text[i] == '\n') return std::nullopt;
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (text[i] == '\\' || text[i] == '"') {
      out += text[i];
    } else if (text[i] == 'n') {
      out += '\n';
    } else if (text[i] == 'x' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::string RandomText(std::mt19937& random) {
  constexpr std::string_view kLikely = "\"\\\n\r\t{}=~,|.*+?()[]^$abc\xc3\xa9";
  std::string text(random() % 24, '\0');
  for (char& c : text) {
    c = random() % 2 == 0 ? kLikely[random() % kLikely.size()] : static_cast<char>(random() % 256);
  }
  return text;
}

TEST(PromqlTest, QuotesSoThatEveryByteComesBack) {
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i) {
    const std::string text = RandomText(random);
    ASSERT_EQ(Unquote(Quote(text)), text) << Quote(text);
  }
}

TEST(PromqlTest, LeavesReadableTextReadable) {
  EXPECT_EQ(Quote("node-1"), "\"node-1\"");
  EXPECT_EQ(Quote("gr\xc3\xbcn"), "\"gr\xc3\xbcn\"");
  EXPECT_EQ(Quote(std::string_view("a\"b\\c\n\0\xff", 8)), R"("a\"b\\c\n\x00\xff")");
}

TEST(PromqlTest, AnEscapedRegexMatchesItsTextOnly) {
  std::mt19937 random(2);
  constexpr std::string_view kMarks = R"(\.+*?()|[]{}^$ab)";
  for (int i = 0; i < 2000; ++i) {
    std::string text(1 + random() % 8, '\0');
    for (char& c : text) c = kMarks[random() % kMarks.size()];
    const std::regex regex(EscapeRegex(text), std::regex::ECMAScript);
    ASSERT_TRUE(std::regex_match(text, regex)) << text;
    ASSERT_FALSE(std::regex_match(text + "a", regex)) << text;
  }
}

TEST(PromqlTest, BuildsASelector) {
  const std::vector<std::string_view> nodes = {"a.b", "c"};
  EXPECT_EQ(*Selector("up", kLabels).Build(), "up");
  EXPECT_EQ(*Selector("up", kLabels)
                 .Equal("gpu", "0\"")
                 .OneOf("node", nodes)
                 .NotEqual("pid", "")
                 .Matches("node", "x.*")
                 .Build(),
            R"(up{gpu="0\"",node=~"a\\.b|c",pid!="",node=~"x.*"})");
}

TEST(PromqlTest, OneOfASingleValueIsAnEqualAndOneOfNoneMatchesNothing) {
  const std::vector<std::string_view> one = {"a.b"};
  EXPECT_EQ(*Selector("up", kLabels).OneOf("node", one).Build(), R"(up{node="a.b"})");
  EXPECT_EQ(*Selector("up", kLabels).OneOf("node", {}).Build(), R"(up{node=~"$."})");
}

TEST(PromqlTest, RefusesALabelThatIsNotAllowed) {
  const Result<std::string> built = Selector("up", kLabels).Equal("job\"", "x").Build();
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, Code::kInvalidParameter);
  EXPECT_EQ(built.error().message,
            R"(no filter by label "job\""; filters exist for node, gpu, pid)");
}

TEST(PromqlTest, RefusesAMetricThatIsNoName) {
  for (const std::string_view name : {"", "9a", "a b", "a{", "a-b", "\xc3\xa9"}) {
    EXPECT_FALSE(Selector(name, kLabels).Build()) << name;
  }
  EXPECT_TRUE(Selector("job:gpu_util:avg", kLabels).Build());
}

TEST(PromqlTest, TermsAreWhatOrJoinsOutsideBracketsAndStrings) {
  using testing::ElementsAre;
  EXPECT_THAT(TermsOf(""), ElementsAre(""));
  EXPECT_THAT(TermsOf("a and b"), ElementsAre("a and b"));
  EXPECT_THAT(TermsOf("a or b and c or d"), ElementsAre("a", "b and c", "d"));
  EXPECT_THAT(TermsOf("(a or b) or f(c or d) or max_over_time((e or f)[1h:5m])"),
              ElementsAre("(a or b)", "f(c or d)", "max_over_time((e or f)[1h:5m])"));
  EXPECT_THAT(TermsOf(R"q(a{x="1 or 2"} or b{x="\\"} or c{x="\" or ",y=")"} or d)q"),
              ElementsAre(R"(a{x="1 or 2"})", R"(b{x="\\"})", R"q(c{x="\" or ",y=")"})q", "d"));
}

TEST(PromqlTest, ALabelNameHasNoColon) {
  EXPECT_TRUE(IsLabelName("__name__"));
  EXPECT_FALSE(IsLabelName("a:b"));
  EXPECT_TRUE(IsMetricName("a:b"));
}

}  // namespace
}  // namespace gpumon::prom
