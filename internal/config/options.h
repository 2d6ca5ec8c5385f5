// Options of a program: one row per option says everything about it. A value comes from the flag,
// else the environment, else a YAML file, else the row's default.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon::config {

enum class Kind : std::uint8_t {
  kText,
  kInteger,   // min..max
  kDuration,  // "500ms", "2s", "1m", "1h"; min..max in milliseconds
  kBytes,     // "1048576", "512KiB", "64MiB", "1GiB"; min..max in bytes
  kBool,      // true, false; the flag alone means true
  kWord,      // one of `allowed`
  kPath,      // a file that can be read now
  kUrlList,   // http and https URLs, comma-separated; credentials in them are never shown
  kTextList,  // texts, comma-separated (in YAML also a sequence)
};

struct OptionRow {
  std::string_view flag;      // "--cache-ttl": names the option everywhere
  std::string_view env = {};  // "CACHE_TTL"; in lower case also the YAML key; "": flag only
  // The default, as text; "" = not set: a text is empty then, a number 0.
  std::string_view fallback = {};
  Kind kind = Kind::kText;
  std::string_view help = {};
  // kWord: "a|b|c". Other kinds: replaces the generated description of what is allowed.
  std::string_view allowed = {};
  std::int64_t min = 0;
  std::int64_t max = 0;
  // What the flag means without a value; "": it needs one. `--flag=text` always gives one.
  std::string_view bare = {};
  bool hidden = false;  // parsed, but neither in --help nor in the documentation
  bool secret = false;  // its value is in no message
  // The key of Flow's own configuration file, in its mapping `health`; "": it has none.
  std::string_view health_key = {};
  std::string_view letter = {};  // "-f": the same flag in short; "": none
};
using Rows = std::span<const OptionRow>;

// Put this row into a table to give the program a configuration file.
inline constexpr OptionRow kConfigFileRow{
    .flag = "--config",
    .env = "CONFIG_FILE",
    .kind = Kind::kPath,
    .help = "YAML file with options; its keys are the environment names in lower case.",
    .allowed = "a file of at most 1 MiB that can be read"};

// This one lets it read Flow's configuration file: the keys of its mapping `health` are those of
// the rows; what stands beside that mapping is Flow's. Where nobody names a file it is
// ~/.flow/config.yaml, if that is there.
inline constexpr OptionRow kFlowConfigRow{
    .flag = "--flow-config",
    .env = "FLOW_CONFIG_FILE",
    .kind = Kind::kPath,
    .help = "YAML file with a mapping `health`. Not set: ~/.flow/config.yaml, where it is there."};

enum class Origin : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };

// Every option of the table with its value, checked by kind. Immutable once parsed.
// `flag` must name a row of the table and the accessor must fit its kind: anything else is a
// mistake of the program and ends it.
class Values {
 public:
  // --help (-h) or --version was among the arguments; nothing else was then read.
  bool help_wanted() const { return help_wanted_; }
  bool version_wanted() const { return version_wanted_; }

  const std::string& Text(std::string_view flag) const;  // kText, kWord, kPath; "" = not set
  std::int64_t Integer(std::string_view flag) const;
  Millis Duration(std::string_view flag) const;
  std::size_t Bytes(std::string_view flag) const;
  bool Bool(std::string_view flag) const;
  const std::vector<std::string>& List(std::string_view flag) const;  // kUrlList, kTextList

  Origin origin(std::string_view flag) const;
  // Somebody gave it: it is not the default.
  bool Given(std::string_view flag) const { return origin(flag) != Origin::kDefault; }
  // "the command line", "environment variable PORT", "FILE:2:7 (key port)", "the default".
  std::string Where(std::string_view flag) const;

  // kInvalidParameter in one line: option, value unless secret, where it came from, `why`, and
  // what is allowed (the row's own description when `allowed` is empty).
  // `why` continues a sentence: "has a port that differs from --port".
  Status Refuse(std::string_view flag, std::string_view why, std::string_view allowed = {}) const;

 private:
  friend class Parser;
  struct Entry {
    const OptionRow* row = nullptr;
    Origin origin = Origin::kDefault;
    std::string text;
    std::int64_t number = 0;
    std::vector<std::string> list;
    bool file_list = false;  // the file has a list here
    std::string file_place;  // "FILE:2:7 (key port)"
  };
  const Entry& At(std::string_view flag, std::initializer_list<Kind> kinds) const;

  std::map<std::string_view, Entry> entries_;
  bool help_wanted_ = false;
  bool version_wanted_ = false;
};

using Environment = std::map<std::string, std::string, std::less<>>;
Environment ProcessEnvironment();
// The arguments after the program's name.
std::vector<std::string> Arguments(int argc, const char* const* argv);

// Reads every option of `rows`, which must outlive the result. A variable or file key that is
// set but empty counts as not set, an empty flag is wrong. kInvalidParameter, in one line, for an
// unknown flag or file key (with the nearest valid name), a flag given twice, a missing or wrong
// value, or an unreadable file. Callers print it and exit with code 2.
Result<Values> Parse(Rows rows, std::span<const std::string> arguments,
                     const Environment& environment);

}  // namespace gpumon::config
