// The three tables of docs/OPERATIONS.md that people look things up in have a row for whatever the
// server says: every code, every warning, every metric; and none for anything else.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/status.h"
#include "internal/gpu/join_counts.h"
#include "internal/telemetry/metrics.h"
#include "tests/fakes/clock/fake_clock.h"

namespace gpumon {
namespace {

namespace fs = std::filesystem;

const std::string kRoot = GPUMON_SOURCE_DIR "/";

std::string Read(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool HasLetter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalpha(c) != 0; });
}

// The cells of each row of the table below a heading of the page.
std::vector<std::vector<std::string>> TableBelow(const std::string& heading) {
  std::istringstream page(Read(kRoot + "docs/OPERATIONS.md"));
  std::vector<std::vector<std::string>> rows;
  bool below = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) below = line == "## " + heading;
    if (!below || !line.starts_with('|')) continue;
    std::vector<std::string> cells;
    std::istringstream rest(line.substr(1));
    for (std::string cell; std::getline(rest, cell, '|');) {
      const std::size_t begin = cell.find_first_not_of(' ');
      const std::size_t end = cell.find_last_not_of(' ');
      cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, end + 1 - begin));
    }
    rows.push_back(std::move(cells));
  }
  rows.erase(rows.begin(), rows.begin() + std::min<std::ptrdiff_t>(2, std::ssize(rows)));
  return rows;
}

// `what` stands between backticks, a text with backticks between two each.
std::vector<std::string> Quoted(const std::string& cell) {
  static const std::regex span("``(.+?)``|`([^`]+)`");
  std::vector<std::string> texts;
  for (std::sregex_iterator one(cell.begin(), cell.end(), span), end; one != end; ++one) {
    texts.push_back((*one)[1].matched ? (*one)[1] : (*one)[2]);
  }
  return texts;
}

void ExpectWholeRows(const std::vector<std::vector<std::string>>& rows, std::size_t cells) {
  for (const auto& row : rows) {
    ASSERT_EQ(row.size(), cells) << row[0];
    for (std::size_t i = cells - 2; i < cells; ++i) EXPECT_FALSE(row[i].empty()) << row[0];
  }
}

TEST(OperationsTest, EveryCodeIsARowAndNoOther) {
  std::multiset<std::pair<std::string, std::string>> codes;
  for (const CodeRow& row : kCodes) {
    if (row.code != Code::kOk) codes.emplace(row.name, std::to_string(row.http_status));
  }
  const auto rows = TableBelow("Codes");
  ExpectWholeRows(rows, 4);
  std::multiset<std::pair<std::string, std::string>> told;
  for (const auto& row : rows) {
    const auto names = Quoted(row[0]);
    told.emplace(names.size() == 1 ? names[0] : row[0], row[1]);
  }
  EXPECT_EQ(told, codes);
}

using Labels = std::map<std::string, std::set<std::string>>;  // of each metric

// What has counted everything once.
std::string MetricsText() {
  const FakeClock clock;
  telemetry::Metrics metrics(clock, "1");
  metrics.CountRequest("/", "GET", 200, 0.1);
  metrics.CountShed("a");
  metrics.CountQuery("a", "ok", 0.1, 1);
  metrics.CountRefresh("gpus", "ok", 0.1);
  metrics.CountDropped("a", 1);
  metrics.CountStaleServed();
  metrics.CountStreamEvent("a");
  metrics.SetReadings([] {
    telemetry::Readings readings;
    readings.parts = {{"gpus", 1.0, 1}};
    return readings;
  });
  return metrics.Text();
}

Labels LabelsOf(const std::string& text) {
  static const std::regex type("# TYPE (\\S+) (\\S+)");
  static const std::regex label("(\\w+)=\"");
  Labels labels;
  std::string name;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (std::regex_match(line, found, type)) {
      name = found[1];
      labels[name];
    }
    const std::size_t open = line.find('{');
    if (line.starts_with('#') || open == std::string::npos) continue;
    for (std::sregex_iterator one(line.begin(), line.end(), label), end; one != end; ++one) {
      if ((*one)[1] != "le") labels[name].insert((*one)[1]);
    }
  }
  return labels;
}

TEST(OperationsTest, EveryMetricIsARowWithItsLabelsAndNoOther) {
  const Labels labels = LabelsOf(MetricsText());
  const auto rows = TableBelow("Own metrics");
  ExpectWholeRows(rows, 4);
  Labels told;
  for (const auto& row : rows) {
    const auto names = Quoted(row[0]);
    ASSERT_EQ(names.size(), 1U) << row[0];
    const auto its = Quoted(row[1]);
    EXPECT_TRUE(told.emplace(names[0], std::set<std::string>(its.begin(), its.end())).second)
        << names[0] << " stands twice";
  }
  EXPECT_EQ(told, labels);
  // Those too that MetricsText does not know how to count.
  const std::string source = Read(kRoot + "internal/telemetry/metrics.cc");
  static const std::regex made(
      R"re((NewCounter|NewHistogram|NewGauge)\(\s*registry_,\s*"(\w+)"|\.Name\("(\w+)"\))re");
  std::size_t families = 0;
  for (std::sregex_iterator one(source.begin(), source.end(), made), end; one != end; ++one) {
    const std::string prefix =
        (*one)[1].matched && (*one)[1] != "NewGauge" ? "gpu_monitoring_" : "";
    const std::string name = prefix + ((*one)[2].matched ? (*one)[2].str() : (*one)[3].str());
    EXPECT_TRUE(told.contains(name)) << name;
    ++families;
  }
  EXPECT_EQ(families, told.size());
}

// A source file: its literals, and its text with these and the comments blanked.
struct Source {
  struct Literal {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool is_text = false;  // not a single character
    std::string value = {};
  };
  std::string name;
  std::string text;
  std::string code;
  std::vector<Literal> literals;
};

std::size_t Blank(std::string& text, std::size_t begin, std::size_t end) {
  end = std::min(end, text.size());
  for (std::size_t i = begin; i < end; ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
  return end;
}

// The one that begins at `at`, and where it ends. Texts beside each other are one.
std::size_t TakeLiteral(Source& source, std::size_t at) {
  Source::Literal literal{at, at + 1, source.text[at] == '"'};
  while (source.text.at(literal.end) != source.text[at]) {
    if (source.text[literal.end] == '\\') ++literal.end;
    literal.value += source.text.at(literal.end++);
  }
  ++literal.end;
  auto& all = source.literals;
  const bool goes_on = !all.empty() && all.back().is_text && literal.is_text &&
                       source.code.find_first_not_of(" \n", all.back().end) == at;
  Blank(source.code, at, literal.end);
  const std::size_t end = literal.end;
  if (goes_on) {
    all.back().value += literal.value;
    all.back().end = end;
  } else {
    all.push_back(std::move(literal));
  }
  return end;
}

Source SourceOf(const fs::path& path) {
  Source source{fs::relative(path, kRoot).generic_string(), Read(path), "", {}};
  source.code = source.text;
  const auto is = [&](std::size_t at, std::string_view what) {
    return source.text.compare(at, what.size(), what) == 0;
  };
  for (std::size_t at = 0; at < source.text.size();) {
    const bool after_letter = at > 0 && std::isalnum(source.text[at - 1]) != 0;  // 1'000
    if (is(at, "//")) {
      at = Blank(source.code, at, source.text.find('\n', at));
    } else if (is(at, "R\"(")) {
      at = Blank(source.code, at, source.text.find(")\"", at) + 2);
    } else if (is(at, "\"") || (is(at, "'") && !after_letter)) {
      at = TakeLiteral(source, at);
    } else {
      ++at;
    }
  }
  return source;
}

// All that runs in the server.
const std::vector<Source>& Sources() {
  static const std::vector<Source> sources = [] {
    std::vector<Source> all;
    for (const char* folder : {"cmd/gpu-monitoring-api", "handlers", "internal", "models"}) {
      for (const auto& entry : fs::recursive_directory_iterator(kRoot + folder)) {
        const auto extension = entry.path().extension();
        if (extension != ".cc" && extension != ".h") continue;
        // No other speaks of any warning.
        if (Read(entry.path()).find("arning") != std::string::npos) {
          all.push_back(SourceOf(entry.path()));
        }
      }
    }
    return all;
  }();
  return sources;
}

// Where the bracket that is open before `at` is closed.
std::size_t ClosingOf(const std::string& code, std::size_t at) {
  for (int open = 1; at < code.size(); ++at) {
    if (std::string_view("({[").find(code[at]) != std::string_view::npos) ++open;
    if (std::string_view(")}]").find(code[at]) != std::string_view::npos && --open == 0) break;
  }
  return at;
}

// Code that puts something among warnings, or makes one.
struct Site {
  const Source* source;
  std::string says;                // its code, without blanks
  std::vector<std::string> texts;  // its literals that have letters
};

Site SiteOf(const Source& source, std::size_t begin, std::size_t end) {
  Site site{&source, source.text.substr(begin, end - begin), {}};
  std::erase_if(site.says, [](unsigned char c) { return std::isspace(c) != 0; });
  for (const auto& literal : source.literals) {
    const bool inside = literal.begin >= begin && literal.end <= end;
    if (inside && literal.is_text && HasLetter(literal.value)) site.texts.push_back(literal.value);
  }
  return site;
}

// Each place that adds to something called warnings, or sets it.
std::vector<Site> Additions() {
  static const std::regex adds(
      R"re(\w*[wW]arnings_?(\.|->)(push_back|emplace_back|emplace|insert|assign|append)\()re"
      R"re(|\bAddUniqueWarning\(|\w*[wW]arnings_?\s*\+?=(?!=)\s*)re");
  std::vector<Site> sites;
  for (const Source& source : Sources()) {
    for (std::sregex_iterator one(source.code.begin(), source.code.end(), adds), end; one != end;
         ++one) {
      const auto begin = static_cast<std::size_t>(one->position() + one->length());
      const bool call = one->str().ends_with('(');
      sites.push_back(SiteOf(source, begin,
                             call ? ClosingOf(source.code, begin) : source.code.find(';', begin)));
    }
  }
  return sites;
}

// The functions that make one, which say so in their name or are among these.
std::vector<Site> Makers(std::set<std::string>& names) {
  static const std::regex makes(
      R"re((?:std::string|void|std::vector<std::string>) (?:\w+::)?(\w*Warning\w*|WarnOf\w+|)re"
      R"re(Doubt|NothingOf|PassedOn|TakeWarnings)\(([^;{}]*)\)( const)? (REQUIRES\(\w+\) )?\{)re");
  std::vector<Site> sites;
  for (const Source& source : Sources()) {
    for (std::sregex_iterator one(source.code.begin(), source.code.end(), makes), end; one != end;
         ++one) {
      const auto begin = static_cast<std::size_t>(one->position() + one->length());
      names.insert((*one)[1]);
      sites.push_back(SiteOf(source, begin, ClosingOf(source.code, begin)));
    }
  }
  return sites;
}

// A warning of the page, where X stands for what varies.
struct Told {
  std::string text;
  std::set<std::string> files;  // whose literals it is made of
};

// `text` is some of `pieces`, one behind another.
bool IsMadeOf(std::string_view text, const std::set<std::string>& pieces) {
  std::vector<bool> reached(text.size() + 1, false);
  reached[0] = true;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const std::string& piece : pieces) {
      if (reached[at] && text.substr(at).starts_with(piece)) reached[at + piece.size()] = true;
    }
  }
  return reached[text.size()];
}

std::vector<Told> ToldWarnings() {
  static const std::regex varies("\\bX\\b");
  std::vector<Told> all;
  const auto rows = TableBelow("Warnings");
  ExpectWholeRows(rows, 3);
  for (const auto& row : rows) {
    for (const std::string& text : Quoted(row[0])) all.push_back({text, {}});
  }
  for (const Source& source : Sources()) {
    std::set<std::string> pieces;
    for (const auto& literal : source.literals) pieces.insert(literal.value);
    pieces.erase("");
    for (Told& told : all) {
      const std::sregex_token_iterator begin(told.text.begin(), told.text.end(), varies, -1);
      const bool made = std::all_of(begin, std::sregex_token_iterator(), [&](const auto& piece) {
        return IsMadeOf(piece.str(), pieces);
      });
      if (made) told.files.insert(source.name);
    }
  }
  return all;
}

void ExpectTold(const Site& site, const std::vector<Told>& all) {
  for (const std::string& text : site.texts) {
    EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                            [&](const Told& told) {
                              return told.files.contains(site.source->name) &&
                                     told.text.find(text) != std::string::npos;
                            }))
        << site.source->name << ": \"" << text
        << "\" is of a warning, and no row of OPERATIONS.md, Warnings, has it";
  }
}

using Place = std::pair<std::string_view, std::string_view>;  // a file and its code

// What adds a warning that was made elsewhere: by a function of kMakers, by one of the lists behind
// an answer, or, in join_counts.cc, from the texts that the next test asks for.
constexpr std::array kPassedOn = {
    Place{"handlers/events.cc", "CoarseWarning(books.activity)"},
    Place{"handlers/events.cc", "std::move(end.warnings)"},
    Place{"handlers/gpu.cc",
          R"(std::string(models::NameOf(query.other.snapshot->part))+":"+warning)"},
    Place{"handlers/hakuriver.cc", "std::move(warnings)"},
    Place{"handlers/hakuriver.cc", "{}"},
    Place{"handlers/hakuriver_log.cc", "{warning}"},
    Place{"handlers/health_history.cc", "WarningsOf(folder,history,unreadable)"},
    Place{"handlers/history.cc", "std::move(end.warnings)"},
    Place{"handlers/idle.cc", "std::move(end.warnings)"},
    Place{"handlers/ledger.cc", "std::move(end.warnings)"},
    Place{"handlers/live_publish.cc", "whose+warning"},
    Place{"handlers/missing.cc",
          "meta.warnings.end(),range_.warnings.begin(),range_.warnings.end()"},
    Place{"handlers/record_answer.cc", R"(std::string(name).append(":").append(warning))"},
    Place{"handlers/usage.cc", R"(std::string(models::NameOf(got->snapshot->part))+":"+warning)"},
    Place{"internal/gpu/collector.cc", "NothingOf(set_.part)"},
    Place{"internal/gpu/collector.cc", "PassedOn(text)"},
    Place{"internal/gpu/join.cc", "std::move(text)"},
    Place{"internal/gpu/join.cc", "warnings_.begin(),warnings_.end()"},
    Place{"internal/gpu/join.h", "std::move(text)"},
    Place{"internal/gpu/join.h", "std::stringtext"},
    Place{"internal/gpu/join_counts.cc", "std::to_string(n)+''+std::string(n==1?one:many)"},
    Place{"internal/gpu/missed_targets.cc", "DownWarning(exporter,down.targets)"},
    Place{"internal/gpu/missed_targets.cc", "FailedWarning(exporter,failed.targets)"},
    Place{"internal/gpu/missed_targets.cc", "SilentWarning(exporter,silent)"},
    Place{"internal/gpu/refresh_texts.cc", "PassedOn(text)"},
    Place{"internal/prom/decode.cc", "std::move(answer.warnings)"},
    Place{"internal/wire/encode.cc", "warnings.end(),page.warnings.begin(),page.warnings.end()"},
    Place{"internal/wire/join_report.cc", "explanation.snapshot->warnings"},
    Place{"internal/wire/schema_report.cc", "WarningsOf(gpus.warnings,page)"},
};
constexpr std::array<std::string_view, 9> kMakers = {
    "CoarseWarning", "Doubt",     "DownWarning",   "FailedWarning", "NothingOf",
    "PassedOn",      "WarningOf", "SilentWarning", "WarningsOf"};

TEST(OperationsTest, EveryWarningIsInARow) {
  const std::vector<Told> all = ToldWarnings();
  std::multiset<std::pair<std::string, std::string>> passed_on;
  for (const Site& site : Additions()) {
    if (site.texts.empty()) passed_on.emplace(site.source->name, site.says);
    ExpectTold(site, all);
  }
  EXPECT_EQ(passed_on, (std::multiset<std::pair<std::string, std::string>>(kPassedOn.begin(),
                                                                           kPassedOn.end())))
      << "what is new here puts a text among warnings: give it a row, and name where it is made";
  std::set<std::string> makers;
  for (const Site& site : Makers(makers)) {
    const std::string& file = site.source->name;
    // The next test has those; and what the join doctor says of warnings is none.
    if (file == "internal/gpu/join_counts.cc" || file == "internal/gpu/findings.cc") continue;
    ExpectTold(site, all);
  }
  for (const std::string_view name : kMakers)
    EXPECT_TRUE(makers.contains(std::string(name))) << name;
}

TEST(OperationsTest, WhatEveryCountOfTheJoinWarnsOfIsARow) {
  constexpr std::size_t kCounts = sizeof(gpu::JoinCounts) / sizeof(std::size_t);
  std::array<std::size_t, kCounts> twos{};
  twos.fill(2);
  std::set<std::string> told;
  for (const Told& one : ToldWarnings()) told.insert(one.text);
  const auto warnings = gpu::WarningsOf(std::bit_cast<gpu::JoinCounts>(twos));
  EXPECT_GT(warnings.size(), 10U);
  for (const std::string& warning : warnings) {
    EXPECT_TRUE(warning.starts_with("2 ") && told.contains('X' + warning.substr(1))) << warning;
  }
}

TEST(OperationsTest, EveryRowOfAWarningIsSaidSomewhere) {
  for (const Told& told : ToldWarnings()) {
    EXPECT_FALSE(told.files.empty()) << "no source file makes: " << told.text;
  }
}

}  // namespace
}  // namespace gpumon
