#include "internal/gpu/command.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "internal/base/text.h"
#include "internal/gpu/secret_argument.h"
#include "internal/gpu/secret_name.h"
#include "internal/gpu/secret_shape.h"

namespace gpumon::gpu {
namespace {

using std::string_view;
constexpr std::size_t kNone = string_view::npos;

bool IsSpace(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsNamePart(char c) {
  return IsLetter(c) || IsDigit(c) || c == '-' || c == '_' || c == '.';
}
bool IsQuote(char c) {
  return c == '"' || c == '\'' || c == '`';
}

bool IsUserOption(string_view name) {
  return name == "-u" || name == "--user" || name == "--proxy-user";
}

// Walks over the words of a command line and finds the values of secret names.
class NamedSecrets {
 public:
  NamedSecrets(string_view text, TextSpans& spans) : text_(text), spans_(spans) {}

  void Find() {
    std::size_t at = 0;
    while (at < text_.size()) {
      if (IsSpace(text_[at])) {
        ++at;
      } else {
        at = TakeWord(at);
      }
    }
  }

 private:
  // What the word after this one is.
  enum class Next : std::uint8_t { kWord, kValue, kUser, kMaybeAssigned };
  struct Name {
    std::size_t begin = kNone;
    std::size_t end = 0;
    bool open = false;  // still growing
  };

  std::size_t WordEnd(std::size_t at) const {
    while (at < text_.size() && !IsSpace(text_[at])) ++at;
    return at;
  }
  string_view Text(std::size_t begin, std::size_t end) const {
    return text_.substr(begin, end - begin);
  }

  std::size_t TakeWord(std::size_t begin) {
    const std::size_t end = WordEnd(begin);
    const string_view word = Text(begin, end);
    const Next expected = std::exchange(next_, Next::kWord);
    if (expected == Next::kValue || expected == Next::kMaybeAssigned) {
      if (word == "=" || word == ":" || word == "=>" || word == ":=" || word == "==") {
        next_ = Next::kValue;
        return end;
      }
    }
    if (expected == Next::kValue && !IsOption(word)) return TakeValue(begin, kind_);
    if (expected == Next::kUser && !IsOption(word)) {
      MaskUserPassword(begin, end);
      return end;
    }
    if (TakeLogin(word, begin, end)) return end;
    NoteProgram(word);
    if (TakeLetterOption(begin, end)) return end;
    const std::size_t next = ScanNames(begin, end);
    setting_ = word == "set" || word == "config";
    return next;
  }

  // An argument of `wandb login` and the like.
  bool TakeLogin(string_view word, std::size_t begin, std::size_t end) {
    if (!login_) {
      login_ = word == "login" && login_program_;
      login_program_ = std::find(kLoginPrograms.begin(), kLoginPrograms.end(), BaseName(word)) !=
                       kLoginPrograms.end();
      return false;
    }
    if (EndsCommand(word)) login_ = false;
    if (!login_ || word.starts_with('-') || word.find("://") != kNone || word.find('=') != kNone) {
      return false;
    }
    Mask(begin, TrimmedEnd(begin, end));
    return true;
  }

  // `--x...` or `-x`; anything else after a secret name is its value.
  static bool IsOption(string_view word) {
    if (word == "-" || word == "--") return true;
    if (word.starts_with("--")) return IsLetter(word[2]);
    return word.size() == 2 && word[0] == '-' && IsLetter(word[1]);
  }

  void NoteProgram(string_view word) {
    word = BaseName(word);
    for (const LetterOption& option : kLetterOptions) {
      if (option.program == word) program_ = word;
    }
  }

  bool TakeLetterOption(std::size_t begin, std::size_t end) {
    const string_view word = Text(begin, end);
    if (word.size() < 2 || word[0] != '-' || word[1] == '-') return false;
    for (const LetterOption& option : kLetterOptions) {
      if (option.program != program_ || option.letter != word[1]) continue;
      if (word.size() > 2 && !option.attached) continue;
      if (word.size() == 2) {
        if (!option.separate) return false;
        kind_ = SecretKind::kPassword;
        next_ = option.user ? Next::kUser : Next::kValue;
      } else if (option.user) {
        MaskUserPassword(begin + 2, end);
      } else if (program_ == "psql" && std::all_of(word.begin() + 2, word.end(), IsDigit)) {
        return true;  // its -p is the port
      } else {
        Mask(begin + 2, TrimmedEnd(begin + 2, end));
      }
      return true;
    }
    return false;
  }

  // Every `name=value`, `name: value` and `"name": value` of one word, and the option it may be.
  std::size_t ScanNames(std::size_t begin, std::size_t end) {
    Name name;
    for (std::size_t i = begin; i < end; ++i) {
      const char c = text_[i];
      if (IsNamePart(c)) {
        if (!name.open) name = Name{i, i, true};
        name.end = i + 1;
      } else if (IsQuote(c) || c == ']' || c == '\\' || c == ',') {
        name.open = false;  // os.environ["X"]=, {"x":, ['--x',
      } else if ((c == '=' || c == ':') && name.begin != kNone) {
        const std::size_t value = TakeAssigned(name, i, end);
        if (value >= end) return value;
        if (value > i) i = value - 1;
        name = Name{};
      } else {
        name = Name{};
      }
    }
    if (name.begin != kNone) NoteBareName(name);
    return end;
  }

  // `name` stands before the `=` or `:` at `mark`. Returns where to go on: `mark` when the name
  // is harmless.
  std::size_t TakeAssigned(const Name& name, std::size_t mark, std::size_t end) {
    const string_view text = Text(name.begin, name.end);
    const char before = name.begin > 0 ? text_[name.begin - 1] : ' ';
    const bool in_query = before == '?' || before == '&';
    SecretKind kind = JudgeName(text);
    if (text_[mark] == ':') {
      if (before == '/' || Text(mark, end).starts_with("://")) return mark;
    } else if (IsUserOption(text)) {
      MaskUserPassword(mark + 1, end);
      return end;
    }
    if (kind == SecretKind::kBareKey) {
      const bool shouted = text[0] >= 'A' && text[0] <= 'Z' && text_[mark] == '=';
      if (text[0] != '-' && !in_query && !shouted) return mark;
      kind = SecretKind::kKey;
    }
    if (kind == SecretKind::kNone) {
      if (EndsInBearer(mark + 1, end)) ExpectCredential();
      return mark;
    }
    std::size_t value = mark + 1;
    while (value < end && (text_[value] == '=' || text_[value] == '>')) ++value;
    if (value == end) {
      kind_ = kind;
      next_ = Next::kValue;
      return end;
    }
    if (in_query) return MaskQueryValue(value, end);
    return TakeValue(value, kind);
  }

  std::size_t MaskQueryValue(std::size_t begin, std::size_t end) {
    std::size_t stop = begin;
    while (stop < end && text_[stop] != '&' && text_[stop] != '#') ++stop;
    Mask(begin, stop == end ? TrimmedEnd(begin, stop) : stop);
    return stop;
  }

  // A word that ends in a name: an option whose value is the next word, a scheme before its
  // credential, or a variable about to be assigned.
  void NoteBareName(const Name& name) {
    const string_view text = Text(name.begin, name.end);
    if (EndsInBearer(name.begin, name.end)) {
      ExpectCredential();
    } else if (IsUserOption(text)) {
      next_ = Next::kUser;
    } else {
      kind_ = JudgeName(text);
      if (kind_ == SecretKind::kNone) return;
      // aws configure set aws_secret_access_key X
      const bool valued = (text[0] == '-' && text.size() > 1) || setting_;
      next_ = valued ? Next::kValue : Next::kMaybeAssigned;
      if (kind_ == SecretKind::kBareKey && next_ == Next::kMaybeAssigned) next_ = Next::kWord;
    }
  }

  bool EndsInBearer(std::size_t begin, std::size_t end) const {
    string_view word = Text(begin, end);
    while (!word.empty() && IsQuote(word.front())) word.remove_prefix(1);
    return EqualsIgnoreCase(word, "bearer");
  }
  void ExpectCredential() {
    kind_ = SecretKind::kPassword;
    next_ = Next::kValue;
  }

  // The value of a name of `kind` begins at `begin`. Returns where it ends.
  std::size_t TakeValue(std::size_t begin, SecretKind kind) {
    const std::size_t escaped = text_[begin] == '\\' ? 1 : 0;
    if (begin + escaped < text_.size() && IsQuote(text_[begin + escaped])) {
      const std::size_t from = begin + escaped + 1;
      const std::size_t close = ClosingQuote(from, text_[from - 1]);
      if (close != kNone) {
        const std::size_t end = std::max(from, close - (close > from ? escaped : 0));
        MaskUnlessHarmless(from, end, kind);
        return close + 1;
      }
    }
    const std::size_t end = WordEnd(begin);
    const std::size_t stop = TrimmedEnd(begin, end);
    string_view value = Text(begin, stop);
    while (!value.empty() && (IsQuote(value.front()) || value.front() == '\\')) {
      value.remove_prefix(1);
    }
    if (kind == SecretKind::kAuthorization && IsAuthorizationScheme(value)) {
      ExpectCredential();
      return end;
    }
    MaskUnlessHarmless(begin, stop, kind);
    if (kind == SecretKind::kCookie && value.ends_with(';')) {
      kind_ = kind;
      next_ = Next::kValue;
    }
    return end;
  }

  void MaskUnlessHarmless(std::size_t begin, std::size_t end, SecretKind kind) {
    if (!IsHarmlessValue(kind, Text(begin, end))) Mask(begin, end);
  }

  // `me:password`, `me%password`; user and group ids of containers (1000:1000) are none.
  void MaskUserPassword(std::size_t begin, std::size_t end) {
    end = TrimmedEnd(begin, end);
    const bool percent = std::find(kPercentPrograms.begin(), kPercentPrograms.end(), program_) !=
                         kPercentPrograms.end();
    const std::size_t mark = Text(begin, end).find(percent ? '%' : ':');
    if (mark == kNone || (!percent && Text(begin, end).find("://") != kNone)) return;
    const std::size_t from = begin + mark + 1;
    const string_view password = Text(from, end);
    const bool ids = !percent && program_ != "curl";
    if (ids && std::all_of(password.begin(), password.end(), IsDigit)) return;
    Mask(from, end);
  }

  // Without the quotes that may close an argument around the value.
  std::size_t TrimmedEnd(std::size_t begin, std::size_t end) const {
    while (end > begin && (IsQuote(text_[end - 1]) || text_[end - 1] == '\\')) --end;
    return end;
  }

  // A quote that is not there is looked for once.
  std::size_t ClosingQuote(std::size_t from, char quote) {
    bool& missing = missing_[static_cast<unsigned char>(quote)];
    if (missing) return kNone;
    const std::size_t at = text_.find(quote, from);
    missing = at == kNone;
    return at;
  }

  void Mask(std::size_t begin, std::size_t end) {
    if (begin < end) spans_.push_back({begin, end});
  }

  const string_view text_;
  TextSpans& spans_;
  Next next_ = Next::kWord;
  SecretKind kind_ = SecretKind::kNone;  // of the value that `next_` announces
  string_view program_;
  bool login_program_ = false;  // the word before was one of kLoginPrograms
  bool login_ = false;          // arguments of its login
  bool setting_ = false;        // the word before was `set` or `config`
  std::array<bool, 128> missing_{};
};

std::string Masked(string_view text, TextSpans spans) {
  std::sort(spans.begin(), spans.end(),
            [](const TextSpan& a, const TextSpan& b) { return a.begin < b.begin; });
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  bool masked = false;
  for (const TextSpan& span : spans) {
    if (!masked || span.begin > at) out.append(text.substr(at, span.begin - at)).append("***");
    masked = true;
    at = std::max(at, span.end);
  }
  return out.append(text.substr(at));
}

std::string Redacted(string_view text) {
  TextSpans spans;
  FindPemBlocks(text, spans);
  FindUserinfo(text, spans);
  FindKnownTokens(text, spans);
  FindOpaqueWords(text, spans);
  FindPlacedSecrets(text, spans);
  NamedSecrets(text, spans).Find();
  return spans.empty() ? std::string(text) : Masked(text, std::move(spans));
}

// NAME=value in front of a program.
bool IsAssignment(string_view word) {
  const std::size_t mark = word.find('=');
  return mark != kNone && mark > 0 && !IsDigit(word[0]) &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(mark),
                     [](char c) { return IsLetter(c) || IsDigit(c) || c == '_'; });
}

string_view ProgramOf(string_view text) {
  while (true) {
    const auto begin = std::find_if_not(text.begin(), text.end(), IsSpace);
    const auto end = std::find_if(begin, text.end(), IsSpace);
    const string_view word = text.substr(static_cast<std::size_t>(begin - text.begin()),
                                         static_cast<std::size_t>(end - begin));
    if (!IsAssignment(word)) return word;
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  }
}

}  // namespace

std::string ShowCommand(string_view command, CommandStyle style) {
  switch (style) {
    case CommandStyle::kFull:
      return std::string(command);
    case CommandStyle::kName:
      return Redacted(ProgramOf(command));
    case CommandStyle::kHidden:
      return {};
    case CommandStyle::kRedacted:
      break;
  }
  return Redacted(command);
}

}  // namespace gpumon::gpu
