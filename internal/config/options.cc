#include "internal/config/options.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "internal/base/text.h"
#include "internal/base/words.h"
#include "internal/config/address.h"
#include "internal/config/option_value.h"
#include "internal/config/yaml_file.h"

namespace gpumon::config {
namespace {

std::string Nearest(std::string_view word, const std::vector<std::string>& valid) {
  // The dashes that all flags share make none of them near.
  const auto bare = [](std::string_view text) {
    return text.substr(std::min(text.size(), text.find_first_not_of('-')));
  };
  std::string_view nearest = NearestWord(word, valid);
  if (2 * EditDistance(bare(word), bare(nearest)) > bare(word).size()) nearest = {};
  return nearest.empty() ? std::string() : ", the nearest is " + std::string(nearest);
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::optional<Status> CheckReadable(const std::string& path) {
  // What is read of a pipe is gone, and may have to be waited for: whoever reads it will say.
  std::error_code unknown;
  if (std::filesystem::is_fifo(path, unknown)) return std::nullopt;
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  file.peek();  // opening a folder succeeds, reading it does not
  if (file.is_open() && !file.bad()) return std::nullopt;
  const int reason = errno == 0 ? EIO : errno;
  return Status{Code::kInvalidParameter, std::string("cannot be read: ") + std::strerror(reason)};
}

// What no other check refuses when it is empty.
bool TakesAnyText(Kind kind) {
  return kind == Kind::kText || kind == Kind::kPath || kind == Kind::kUrlList ||
         kind == Kind::kTextList;
}

// A variable of the shell that is not set may not switch off what the environment asks for.
std::string HowToHaveNone(const OptionRow& row) {
  return std::string("to have ") + (row.fallback.empty() ? "none" : "the default") +
         " leave the flag out" +
         (row.env.empty() ? "" : ", and " + std::string(row.env) + " unset or empty");
}

}  // namespace

// One run of Parse; a class so that Values needs only one friend.
class Parser {
 public:
  explicit Parser(Rows rows) : rows_(rows) {}

  Result<Values> Run(std::span<const std::string> arguments, const Environment& environment) {
    if (auto status = ReadFlags(arguments)) return Error(*std::move(status));
    if (values_.help_wanted_ || values_.version_wanted_) return std::move(values_);
    if (auto status = ReadFile(environment)) return Error(*std::move(status));
    if (auto status = ReadFlowFile(environment)) return Error(*std::move(status));
    for (const OptionRow& row : rows_) {
      if (auto status = CheckFile(row)) return Error(*std::move(status));
      Take(row, environment);
      if (auto status = Check(values_.entries_[row.flag])) {
        return Error(values_.Refuse(row.flag, status->message));
      }
    }
    return std::move(values_);
  }

 private:
  using Problem = std::optional<Status>;

  const OptionRow* Find(std::string_view flag) const {
    const auto row = std::find_if(rows_.begin(), rows_.end(), [&](const OptionRow& r) {
      return r.flag == flag || (!r.letter.empty() && r.letter == flag);
    });
    return row == rows_.end() ? nullptr : &*row;
  }

  Problem UnknownFlag(std::string_view flag) const {
    if (!flag.starts_with('-')) {
      return Status{Code::kInvalidParameter,
                    "unexpected argument " + ShownValue(OptionRow{}, flag) + "; see --help"};
    }
    std::vector<std::string> valid = {"--help", "--version"};
    for (const OptionRow& row : rows_) {
      if (!row.hidden) valid.emplace_back(row.flag);
    }
    return Status{Code::kInvalidParameter, "unknown flag " + ShownValue(OptionRow{}, flag) +
                                               Nearest(flag, valid) + "; see --help"};
  }

  Problem ReadFlags(std::span<const std::string> arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const std::string_view argument = arguments[i];
      const std::size_t equals = argument.find('=');
      const std::string_view flag = argument.substr(0, equals);
      if (argument == "--help" || argument == "-h") {
        values_.help_wanted_ = true;
        return std::nullopt;
      }
      if (argument == "--version") {
        values_.version_wanted_ = true;
        continue;
      }
      if (flag == "--help" || flag == "-h" || flag == "--version") {
        return Status{Code::kInvalidParameter, std::string(flag) + " takes no value"};
      }
      const OptionRow* row = Find(flag);
      // What is no flag is shown, or not, as a whole: a password may hold an =.
      if (row == nullptr) return UnknownFlag(argument.starts_with('-') ? flag : argument);
      const bool more = i + 1 < arguments.size();
      std::string text;
      if (equals != std::string_view::npos) {
        text = argument.substr(equals + 1);
      } else if (row->kind == Kind::kBool) {
        text = "true";
      } else if (!row->bare.empty() && (!more || arguments[i + 1].starts_with('-'))) {
        text = row->bare;
      } else if (more) {
        text = arguments[++i];
      } else {
        return Status{Code::kInvalidParameter,
                      std::string(flag) + " needs a value; allowed: " + AllowedText(*row)};
      }
      if (!flags_.emplace(row->flag, std::move(text)).second) {
        return Status{Code::kInvalidParameter, std::string(flag) + " is given twice"};
      }
    }
    return std::nullopt;
  }

  Problem ReadFile(const Environment& environment) {
    const OptionRow* row = Find(kConfigFileRow.flag);
    if (row == nullptr) return std::nullopt;
    Take(*row, environment);
    Values::Entry& entry = values_.entries_[row->flag];
    if (auto status = Check(entry)) return values_.Refuse(row->flag, status->message);
    if (entry.text.empty()) return std::nullopt;
    const auto text = ReadYamlText(entry.text);
    if (!text) return values_.Refuse(row->flag, text.error().message);
    auto values = ParseYaml(*text, entry.text);
    if (!values) return std::move(values).error();
    std::vector<std::string> valid;
    for (const OptionRow& r : rows_) {
      if (!r.env.empty() && &r != row) valid.push_back(YamlKey(r));
    }
    if (auto status = CheckKeys(*values, valid)) return status;
    file_ = *std::move(values);
    return std::nullopt;
  }

  static Problem CheckKeys(const std::map<std::string, FileValue>& values,
                           const std::vector<std::string>& valid) {
    for (const auto& [key, value] : values) {
      if (std::find(valid.begin(), valid.end(), key) == valid.end()) {
        return Status{Code::kInvalidParameter, value.key_at + " has the unknown key " +
                                                   ShownValue(OptionRow{}, key) +
                                                   Nearest(key, valid)};
      }
    }
    return std::nullopt;
  }

  Problem ReadFlowFile(const Environment& environment) {
    const OptionRow* row = Find(kFlowConfigRow.flag);
    if (row == nullptr) return std::nullopt;
    Take(*row, environment);
    Values::Entry& entry = values_.entries_[row->flag];
    if (auto status = Check(entry)) return values_.Refuse(row->flag, status->message);
    std::string path = entry.text;
    if (path.empty()) {
      const auto home = environment.find("HOME");
      if (home == environment.end() || home->second.empty()) return std::nullopt;
      path = home->second + "/.flow/config.yaml";
      std::error_code unknown;
      if (!std::filesystem::exists(path, unknown)) return std::nullopt;
    }
    const auto text = ReadYamlText(path);
    if (!text) return values_.Refuse(row->flag, path + ' ' + text.error().message);
    auto values = ParseYamlSection(*text, path, "health");
    if (!values) return std::move(values).error();
    std::vector<std::string> valid;
    for (const OptionRow& r : rows_) {
      if (!r.health_key.empty()) valid.emplace_back(r.health_key);
    }
    if (auto status = CheckKeys(*values, valid)) return status;
    health_ = *std::move(values);
    return std::nullopt;
  }

  void Take(const OptionRow& row, const Environment& environment) {
    Values::Entry& entry = values_.entries_[row.flag];
    entry.row = &row;
    if (const auto flag = flags_.find(row.flag); flag != flags_.end()) {
      entry.text = flag->second;
      entry.origin = Origin::kFlag;
      return;
    }
    const auto variable = row.env.empty() ? environment.end() : environment.find(row.env);
    if (variable != environment.end() && !variable->second.empty()) {
      entry.text = variable->second;
      entry.origin = Origin::kEnvironment;
      return;
    }
    if (!row.env.empty() && TakeFrom(file_, YamlKey(row), entry)) return;
    if (!row.health_key.empty() && TakeFrom(health_, std::string(row.health_key), entry)) return;
    entry.text = row.fallback;
  }

  static bool TakeFrom(const std::map<std::string, FileValue>& file, const std::string& name,
                       Values::Entry& entry) {
    const auto key = file.find(name);
    if (key == file.end() || key->second.text.empty()) return false;
    entry.text = key->second.text;
    entry.origin = Origin::kFile;
    entry.file_list = key->second.is_list;
    entry.file_place = key->second.value_at + " (key " + name + ")";
    return true;
  }

  // Whatever overrides it: a wrong value there is refused before it is needed.
  Problem CheckFile(const OptionRow& row) {
    Values::Entry& entry = values_.entries_[row.flag] = {};
    entry.row = &row;
    if (row.env.empty() || !TakeFrom(file_, YamlKey(row), entry)) return std::nullopt;
    const auto status = Check(entry);
    return status ? Problem(values_.Refuse(row.flag, status->message)) : std::nullopt;
  }

  // The problem with the entry's text, as the rest of a sentence; else its number or list is set.
  static Problem Check(Values::Entry& entry) {
    const OptionRow& row = *entry.row;
    if (HasControlCharacter(entry.text) || !IsValidUtf8(entry.text)) {
      return Status{Code::kInvalidParameter, "holds a control character or is not UTF-8"};
    }
    if (entry.origin == Origin::kFlag && entry.text.empty() && TakesAnyText(row.kind)) {
      return Status{Code::kInvalidParameter, "is empty: " + HowToHaveNone(row)};
    }
    const bool may_be_unset = row.kind == Kind::kInteger || row.kind == Kind::kWord;
    if (may_be_unset && entry.origin == Origin::kDefault && entry.text.empty()) return std::nullopt;
    const bool takes_list = row.kind == Kind::kUrlList || row.kind == Kind::kTextList;
    if (entry.file_list && !takes_list) {
      return Status{Code::kInvalidParameter, "is a list, not one value"};
    }
    switch (row.kind) {
      case Kind::kInteger:
        return CheckNumber(ParseInteger(entry.text), entry);
      case Kind::kDuration:
        return CheckNumber(ParseDuration(entry.text), entry);
      case Kind::kBytes:
        return CheckNumber(ParseBytes(entry.text), entry);
      case Kind::kBool: {
        const auto value = ParseBool(entry.text);
        if (!value) return value.error();
        entry.number = *value ? 1 : 0;
        return std::nullopt;
      }
      case Kind::kWord:
        return CheckWord(entry);
      case Kind::kPath:
        return entry.text.empty() ? std::nullopt : CheckReadable(entry.text);
      case Kind::kUrlList:
      case Kind::kTextList:
        return CheckList(entry);
      case Kind::kText:
        break;
    }
    return std::nullopt;
  }

  static Problem CheckNumber(const Result<std::int64_t>& number, Values::Entry& entry) {
    if (!number) return number.error();
    if (*number < entry.row->min || *number > entry.row->max) {
      return Status{Code::kInvalidParameter, "is out of range"};
    }
    entry.number = *number;
    return std::nullopt;
  }

  static Problem CheckWord(const Values::Entry& entry) {
    if (IsOneOf(entry.row->allowed, entry.text)) return std::nullopt;
    return Status{Code::kInvalidParameter, "is not one of the allowed words"};
  }

  static Problem CheckList(Values::Entry& entry) {
    auto list = ParseList(entry.text);
    if (!list) return list.error();
    if (entry.row->kind == Kind::kUrlList) {
      for (const std::string& url : *list) {
        if (auto status = CheckUrl(url)) return status;
      }
    }
    entry.list = *std::move(list);
    return std::nullopt;
  }

  Rows rows_;
  Values values_;
  std::map<std::string_view, std::string> flags_;
  std::map<std::string, FileValue> file_;
  std::map<std::string, FileValue> health_;  // of Flow's file
};

const Values::Entry& Values::At(std::string_view flag, std::initializer_list<Kind> kinds) const {
  const auto entry = entries_.find(flag);
  const bool fits = entry != entries_.end() &&
                    (kinds.size() == 0 ||
                     std::find(kinds.begin(), kinds.end(), entry->second.row->kind) != kinds.end());
  if (!fits) {
    std::fprintf(stderr, "BUG: option %.*s is not in the table or has another kind\n",
                 static_cast<int>(flag.size()), flag.data());
    std::abort();
  }
  return entry->second;
}

const std::string& Values::Text(std::string_view flag) const {
  return At(flag, {Kind::kText, Kind::kWord, Kind::kPath}).text;
}
std::int64_t Values::Integer(std::string_view flag) const {
  return At(flag, {Kind::kInteger}).number;
}
Millis Values::Duration(std::string_view flag) const {
  return Millis(At(flag, {Kind::kDuration}).number);
}
std::size_t Values::Bytes(std::string_view flag) const {
  return static_cast<std::size_t>(At(flag, {Kind::kBytes}).number);
}
bool Values::Bool(std::string_view flag) const {
  return At(flag, {Kind::kBool}).number != 0;
}
const std::vector<std::string>& Values::List(std::string_view flag) const {
  return At(flag, {Kind::kUrlList, Kind::kTextList}).list;
}
Origin Values::origin(std::string_view flag) const {
  return At(flag, {}).origin;
}

std::string Values::Where(std::string_view flag) const {
  const Entry& entry = At(flag, {});
  switch (entry.origin) {
    case Origin::kFlag:
      return "the command line";
    case Origin::kEnvironment:
      return "environment variable " + std::string(entry.row->env);
    case Origin::kFile:
      return entry.file_place;
    case Origin::kDefault:
      break;
  }
  return "the default";
}

Status Values::Refuse(std::string_view flag, std::string_view why, std::string_view allowed) const {
  const Entry& entry = At(flag, {});
  std::string line = std::string(flag) + ": " + ShownValue(*entry.row, entry.text) + " from " +
                     Where(flag) + " " + std::string(why);
  line += "; allowed: " + (allowed.empty() ? AllowedText(*entry.row) : std::string(allowed));
  return Status{Code::kInvalidParameter, std::move(line)};
}

Environment ProcessEnvironment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

std::vector<std::string> Arguments(int argc, const char* const* argv) {
  return {argv + std::min(argc, 1), argv + argc};
}

Result<Values> Parse(Rows rows, std::span<const std::string> arguments,
                     const Environment& environment) {
  return Parser(rows).Run(arguments, environment);
}

}  // namespace gpumon::config
