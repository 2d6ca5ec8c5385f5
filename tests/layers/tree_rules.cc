#include "tests/layers/tree_rules.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace gpumon {
namespace {

bool IsTestCode(std::string_view file) {
  return file.starts_with("tests/") || file.starts_with("bench/");
}

bool IsIn(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

struct Include {
  std::string_view name;
  bool quoted = false;
};

std::optional<Include> ParseInclude(std::string_view line) {
  const auto skip_spaces = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  skip_spaces();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_spaces();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(7);
  skip_spaces();
  if (line.empty() || (line.front() != '"' && line.front() != '<')) return std::nullopt;
  const bool quoted = line.front() == '"';
  const std::size_t end = line.find(quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{line.substr(1, end - 1), quoted};
}

}  // namespace

TreeRules::TreeRules(const std::string& text) {
  std::istringstream lines(text);
  int layer = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string rule;
    if (!(words >> rule) || rule.front() == '#') continue;
    std::vector<std::string> rest;
    for (std::string word; words >> word;) rest.push_back(word);
    if (rule == "layer" && !rest.empty()) {
      for (const std::string& folder : rest) layers_[folder] = layer;
      ++layer;
    } else if (rule == "library" && rest.size() > 1) {
      for (std::size_t i = 1; i < rest.size(); ++i) libraries_[rest[i]] = rest[0];
    } else if (rule == "system") {
      system_ = rest;
    } else if (rule == "generated") {
      generated_ = rest;
    } else if (rule == "lines" && rest.size() == 2) {
      line_limits_[rest[0]] = std::stoul(rest[1]);
    } else {
      std::fprintf(stderr, "no rule: %s\n", line.c_str());
      std::abort();
    }
  }
}

std::vector<std::string> TreeRules::Sources(const std::filesystem::path& root) {
  std::vector<std::string> out;
  for (const char* top : {"cmd", "handlers", "internal", "models", "tests", "bench"}) {
    if (!std::filesystem::is_directory(root / top)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / top)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc") continue;
      out.push_back(entry.path().lexically_relative(root).generic_string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string TreeRules::FolderOf(std::string_view path) const {
  std::string longest;
  for (const auto& [folder, layer] : layers_) {
    if (IsIn(path, folder) && folder.size() > longest.size()) longest = folder;
  }
  return longest;
}

std::optional<std::string> TreeRules::ForbiddenOutside(const std::string& file,
                                                       std::string_view included) const {
  for (const auto& [prefix, owner] : libraries_) {
    const bool matches = prefix.ends_with('/') ? included.starts_with(prefix) : included == prefix;
    if (!matches) continue;
    // Tests check our adapters against the libraries themselves.
    if (IsIn(file, owner) || IsTestCode(file)) return std::nullopt;
    return prefix + " belongs to " + owner;
  }
  const bool has_folder = included.find('/') != std::string_view::npos;
  const bool system =
      !has_folder || std::any_of(system_.begin(), system_.end(), [&](const std::string& prefix) {
        return included.starts_with(prefix);
      });
  return system ? std::nullopt : std::optional<std::string>("no library of layers.txt");
}

std::optional<std::string> TreeRules::Forbidden(const std::string& file,
                                                std::string_view included) const {
  if (std::find(generated_.begin(), generated_.end(), included) != generated_.end()) {
    return std::nullopt;
  }
  const bool test_code = IsTestCode(file);
  if (IsTestCode(included)) {
    return test_code ? std::nullopt
                     : std::optional<std::string>("tests are not part of the product");
  }
  const std::string theirs = FolderOf(included);
  if (theirs.empty()) return "write the path from the root, in a folder of layers.txt";
  if (test_code) return std::nullopt;
  const std::string ours = FolderOf(file);
  if (ours.empty() || ours == theirs) return std::nullopt;
  const bool down = layers_.at(ours) < layers_.at(theirs);
  return down ? std::nullopt : std::optional<std::string>("arrows point down");
}

std::size_t TreeRules::LineLimit(const std::string& file) const {
  const std::filesystem::path path(file);
  for (const std::string& name : {path.filename().string(), path.extension().string()}) {
    if (const auto limit = line_limits_.find(name); limit != line_limits_.end()) {
      return limit->second;
    }
  }
  return static_cast<std::size_t>(-1);
}

std::vector<std::string> TreeRules::Offences(const std::filesystem::path& root) const {
  std::vector<std::string> out;
  for (const std::string& file : Sources(root)) {
    if (!IsTestCode(file) && FolderOf(file).empty()) {
      out.push_back(file + ":1: lies in no folder of layers.txt");
    }
    std::ifstream lines(root / file);
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      const auto include = ParseInclude(line);
      if (!include) continue;
      const auto why =
          include->quoted ? Forbidden(file, include->name) : ForbiddenOutside(file, include->name);
      if (!why) continue;
      out.push_back(file + ":" + std::to_string(number) + ": includes " +
                    std::string(include->name) + ": " + *why);
    }
    const std::size_t limit = LineLimit(file);
    if (!IsTestCode(file) && number > limit) {
      out.push_back(file + ":" + std::to_string(limit + 1) + ": has " + std::to_string(number) +
                    " lines, at most " + std::to_string(limit));
    }
  }
  return out;
}

}  // namespace gpumon
