// The rules of layers.txt, and what in a source tree breaks them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpumon {

class TreeRules {
 public:
  // Aborts with the line when it is no rule: the rules are ours.
  explicit TreeRules(const std::string& text);

  // "internal/gpu/join.cc:7: includes handlers/api.h: arrows point down" for each offence in the
  // .h and .cc files of cmd, handlers, internal, models, tests and bench under `root`; sorted.
  std::vector<std::string> Offences(const std::filesystem::path& root) const;
  // The files that Offences reads, relative to `root`.
  static std::vector<std::string> Sources(const std::filesystem::path& root);

 private:
  // The listed folder that `path` lies in, "" when there is none.
  std::string FolderOf(std::string_view path) const;
  // Why `file` may not include `included`; nothing when it may.
  std::optional<std::string> Forbidden(const std::string& file, std::string_view included) const;
  std::optional<std::string> ForbiddenOutside(const std::string& file,
                                              std::string_view included) const;
  std::size_t LineLimit(const std::string& file) const;

  std::map<std::string, int> layers_;               // folder -> its line, counted from the top
  std::map<std::string, std::string> libraries_;    // include prefix -> folder
  std::vector<std::string> system_;                 // include prefixes
  std::vector<std::string> generated_;              // include names
  std::map<std::string, std::size_t> line_limits_;  // file name or extension -> lines
};

}  // namespace gpumon
