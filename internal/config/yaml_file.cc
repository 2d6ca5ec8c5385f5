#include "internal/config/yaml_file.h"

#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <exception>
#include <fstream>
#include <utility>
#include <vector>

#include "internal/base/text.h"

namespace gpumon::config {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

using FileValues = std::map<std::string, FileValue>;

std::string At(const std::string& path, const YAML::Mark& mark) {
  if (mark.is_null()) return path;
  return path + ':' + std::to_string(mark.line + 1) + ':' + std::to_string(mark.column + 1);
}

// What is quoted of the file may be any bytes.
auto Wrong(const std::string& where, const std::string& why) {
  return Error(Code::kInvalidParameter, ReplaceHidden(ToValidUtf8(where + " " + why), "?"));
}

Result<std::string> ScalarOrList(const YAML::Node& value, const std::string& where) {
  if (value.IsScalar()) return value.Scalar();
  std::string out;
  if (value.IsSequence()) {
    for (const auto& entry : value) {
      if (!entry.IsScalar() || entry.Scalar().find(',') != std::string::npos) {
        return Wrong(where, "has a list entry that is no plain value");
      }
      out += out.empty() ? "" : ",";
      out += entry.Scalar();
    }
    return out;
  }
  return Wrong(where, "has a value that is neither a scalar nor a list of scalars");
}

Result<FileValues> FromMapping(const YAML::Node& mapping, const std::string& path) {
  FileValues out;
  for (const auto& pair : mapping) {
    FileValue value;
    value.key_at = At(path, pair.first.Mark());
    value.value_at = At(path, pair.second.Mark());
    if (!pair.first.IsScalar()) return Wrong(value.key_at, "has a key that is not plain text");
    // A null is the file's empty variable: not set.
    if (!pair.second.IsNull()) {
      auto text = ScalarOrList(pair.second, value.value_at);
      if (!text) return Error(std::move(text).error());
      value.text = *std::move(text);
      value.is_list = pair.second.IsSequence();
    }
    const std::string where = value.key_at;
    const auto [first, fresh] = out.emplace(pair.first.Scalar(), std::move(value));
    if (!fresh) {
      return Wrong(where, "repeats the key " + first->first + " of " + first->second.key_at);
    }
  }
  return out;
}

Result<FileValues> SectionOf(const YAML::Node& mapping, const std::string& path,
                             const std::string& section) {
  constexpr std::size_t kMisspelt = 2;  // edits
  YAML::Node found;
  for (const auto& pair : mapping) {
    if (!pair.first.IsScalar()) continue;
    const std::string& key = pair.first.Scalar();
    const std::string at = At(path, pair.first.Mark());
    if (key != section && EditDistance(key, section) <= kMisspelt) {
      return Wrong(at, "has the unknown key \"" + key + "\", the nearest is " + section);
    }
    if (key != section) continue;
    if (found.IsDefined() && !found.IsNull()) return Wrong(at, "repeats the key " + section);
    if (!pair.second.IsMap() && !pair.second.IsNull()) {
      return Wrong(at, "is not a mapping of options to values");
    }
    found = pair.second;
  }
  if (!found.IsDefined() || found.IsNull()) return FileValues();
  return FromMapping(found, path);
}

// "" for no section: the whole file.
Result<FileValues> FromDocuments(const std::vector<YAML::Node>& documents, const std::string& path,
                                 const std::string& section) {
  if (documents.size() > 1) return Wrong(path, "holds more than one YAML document");
  if (documents.empty() || documents[0].IsNull()) return FileValues();
  if (!documents[0].IsMap()) return Wrong(path, "is not a mapping of options to values");
  return section.empty() ? FromMapping(documents[0], path) : SectionOf(documents[0], path, section);
}

Result<FileValues> Parse(const std::string& text, const std::string& path,
                         const std::string& section) {
  try {
    return FromDocuments(YAML::LoadAll(text), path, section);
  } catch (const YAML::Exception& e) {
    return Wrong(At(path, e.mark), "is not valid YAML");
  } catch (const std::exception& e) {
    return Error(Code::kInvalidParameter, path + " is not valid YAML", e.what());
  }
}

}  // namespace

Result<std::string> ReadYamlText(const std::string& path) {
  std::string text(kMostBytes + 1, '\0');
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return Error(Code::kInvalidParameter, std::string("cannot be read: ") + std::strerror(errno));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMostBytes) return Error(Code::kInvalidParameter, "is larger than 1 MiB");
  return text;
}

Result<FileValues> ParseYaml(const std::string& text, const std::string& path) {
  return Parse(text, path, "");
}

Result<FileValues> ParseYamlSection(const std::string& text, const std::string& path,
                                    const std::string& section) {
  return Parse(text, path, section);
}

}  // namespace gpumon::config
