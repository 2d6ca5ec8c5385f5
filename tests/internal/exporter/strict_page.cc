#include "tests/internal/exporter/strict_page.h"

#include <charconv>
#include <cmath>
#include <set>

#include "internal/base/text.h"

namespace gpumon::exporter {
namespace {

bool IsName(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

class Reader {
 public:
  StrictPage Read(std::string_view text) {
    if (!text.ends_with('\n')) page_.problem = "does not end with a line feed";
    if (!IsValidUtf8(text)) page_.problem = "is not UTF-8";
    while (!text.empty() && page_.problem.empty()) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      if (!Line(line)) page_.problem += ": " + std::string(line);
      text.remove_prefix(end + 1);
    }
    if (page_.problem.empty() && !help_.empty()) page_.problem = "HELP without TYPE at the end";
    return std::move(page_);
  }

 private:
  bool Fail(std::string_view why) {
    page_.problem = why;
    return false;
  }

  bool Line(std::string_view line) {
    if (line.starts_with("# HELP ")) return Help(line.substr(7));
    if (line.starts_with("# TYPE ")) return Type(line.substr(7));
    return Sample(line);
  }

  bool Help(std::string_view rest) {
    if (!help_.empty()) return Fail("HELP after HELP");
    const std::size_t space = rest.find(' ');
    if (space == std::string_view::npos || space + 1 == rest.size()) return Fail("HELP is empty");
    help_ = rest.substr(0, space);
    return true;
  }

  bool Type(std::string_view rest) {
    const std::size_t space = rest.find(' ');
    const std::string name(rest.substr(0, space));
    if (name != help_ || !IsName(name)) return Fail("TYPE does not follow its HELP");
    const std::string type(rest.substr(space + 1));
    if (type != "gauge" && type != "counter") return Fail("unknown type");
    if ((type == "counter") != name.ends_with("_total")) return Fail("_total is for counters");
    if (!page_.types.emplace(name, type).second) return Fail("family comes twice");
    family_ = name;
    help_.clear();
    return true;
  }

  bool Sample(std::string_view line) {
    if (!help_.empty()) return Fail("sample between HELP and TYPE");
    Series series;
    std::size_t pos = line.find_first_of("{ ");
    if (pos == std::string_view::npos) return Fail("no value");
    series.name = line.substr(0, pos);
    if (series.name != family_) return Fail("sample outside its family");
    if (line[pos] == '{' && !Labels(line, ++pos, series.labels)) return Fail("broken labels");
    series.key = line.substr(0, pos);
    if (pos >= line.size() || line[pos] != ' ') return Fail("no value");
    const char* end = line.data() + line.size();
    const auto [stop, error] = std::from_chars(line.data() + pos + 1, end, series.value);
    if (error != std::errc() || stop != end) return Fail("value is no number");
    if (!std::isfinite(series.value)) return Fail("value is not finite");
    if (series.value < 0 && page_.types[family_] == "counter") return Fail("negative counter");
    if (!keys_.insert(series.key).second) return Fail("series comes twice");
    page_.series.push_back(std::move(series));
    return true;
  }

  static bool Labels(std::string_view line, std::size_t& pos,
                     std::map<std::string, std::string>& labels) {
    while (true) {
      const std::size_t equals = line.find("=\"", pos);
      if (equals == std::string_view::npos) return false;
      const std::string name(line.substr(pos, equals - pos));
      if (!IsName(name)) return false;
      std::string value;
      for (pos = equals + 2; pos < line.size() && line[pos] != '"'; ++pos) {
        if (line[pos] != '\\') {
          value += line[pos];
          continue;
        }
        if (++pos == line.size()) return false;
        const std::size_t which = std::string_view("\\\"n").find(line[pos]);
        if (which == std::string_view::npos) return false;
        value += "\\\"\n"[which];
      }
      if (!labels.emplace(name, value).second || pos + 1 >= line.size()) return false;
      if (line[++pos] == '}') {
        ++pos;
        return true;
      }
      if (line[pos++] != ',') return false;
    }
  }

  StrictPage page_;
  std::string help_;
  std::string family_;
  std::set<std::string> keys_;
};

}  // namespace

std::vector<const Series*> StrictPage::Family(std::string_view name) const {
  std::vector<const Series*> found;
  for (const Series& each : series) {
    if (each.name == name) found.push_back(&each);
  }
  return found;
}

std::map<std::string, double> StrictPage::ByGpu(std::string_view name) const {
  std::map<std::string, double> found;
  for (const Series* each : Family(name)) {
    found[each->Label("node") + '/' + each->Label("gpu")] = each->value;
  }
  return found;
}

StrictPage ReadStrictly(std::string_view text) {
  return Reader().Read(text);
}

}  // namespace gpumon::exporter
