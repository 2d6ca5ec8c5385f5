#include "internal/gpu/named_secrets.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "internal/base/text.h"
#include "internal/gpu/characters.h"
#include "internal/gpu/command_text.h"
#include "internal/gpu/secret_argument.h"
#include "internal/gpu/secret_name.h"
#include "internal/gpu/secret_values.h"

namespace gpumon::gpu {
namespace {

using std::string_view;
constexpr std::size_t kNone = string_view::npos;

bool IsNamePart(char c) {
  return IsAlnum(c) || c == '-' || c == '_' || c == '.';
}

// After a secret name, what begins with dashes and yet is no option: `--Xa9f2`, `--a+b`. Options
// have digits too; after a password they count.
bool IsRandomOption(string_view word, SecretKind kind) {
  bool digit = false;
  bool upper = false;
  for (const char c : word.substr(0, word.find('='))) {
    if (!IsNamePart(c) && string_view("\"'`\\;,)]}:").find(c) == kNone) return true;
    digit |= IsDigit(c);
    upper |= IsUpper(c);
  }
  const bool password = kind == SecretKind::kPassword || kind == SecretKind::kPass;
  return digit && (upper || password);
}

// Walks over the words of a command line and finds the values of secret names.
class NamedSecrets {
 public:
  NamedSecrets(string_view text, TextSpans& spans) : text_(text), values_(text_, spans) {}

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
  enum class Next : std::uint8_t { kWord, kMaybeAssigned, kValue, kUser, kUserOrToken, kCookie };
  struct Name {
    std::size_t begin = kNone;
    std::size_t end = 0;
    bool open = false;  // still growing
  };

  std::size_t TakeWord(std::size_t begin) {
    const std::size_t end = text_.WordEnd(begin);
    const string_view word = text_.Text(begin, end);
    const Next expected = std::exchange(next_, Next::kWord);
    if (expected == Next::kValue || expected == Next::kMaybeAssigned) {
      if (word == "=" || word == ":" || word == "=>" || word == ":=" || word == "==") {
        next_ = Next::kValue;
        return end;
      }
    }
    if (expected == Next::kValue && text_.IsKeyBelow(begin, end)) {
      next_ = Next::kValue;
      return end;
    }
    if (expected >= Next::kValue && !IsOption(word, kind_)) {
      return TakeExpected(expected, begin, end);
    }
    if (TakeLogin(word, begin, end)) return end;
    NoteProgram(word);
    if (const std::size_t done = TakeLetterOption(begin, end); done > 0) return done;
    const std::size_t next = ScanNames(begin, end);
    NoteSql(word);
    before_ = word;
    if (IsSetting(word)) {
      setting_ = 2;  // aws configure set NAME X, git config --global NAME X
    } else if (setting_ > 0 && word[0] != '-') {
      --setting_;
    }
    return next;
  }

  // IDENTIFIED BY 'X', IDENTIFIED WITH METHOD BY 'X'
  void NoteSql(string_view word) {
    if (word.size() == 10 && EqualsIgnoreCase(word, "identified")) {
      identified_ = 3;
    } else if (identified_ > 0) {
      --identified_;
      if (EqualsIgnoreCase(word, "by")) ExpectCredential();
    }
  }

  // Returns where the word or the value ends.
  std::size_t TakeExpected(Next expected, std::size_t begin, std::size_t end) {
    if (expected == Next::kValue) return Follow(values_.Take(begin, kind_));
    if (expected == Next::kCookie) return Follow(values_.TakeCookie(begin, end));
    values_.TakeUser(begin, end, program_, expected == Next::kUserOrToken);
    return end;
  }

  // An argument of `wandb login` and the like.
  bool TakeLogin(string_view word, std::size_t begin, std::size_t end) {
    if (!login_) {
      login_ =
          word == "login" ? login_program_ : word == "passwd" && BaseName(before_) == "openssl";
      login_program_ = IsLoginProgram(BaseName(word)) || (login_program_ && word == "auth");
      return false;
    }
    if (EndsCommand(word)) login_ = false;
    if (!login_ || word.starts_with('-') || word.find("://") != kNone || word.find('=') != kNone) {
      return false;
    }
    values_.Mask(begin, text_.TrimmedEnd(begin, end));
    return true;
  }

  // `--x...` or `-x`; anything else after a secret name is its value.
  static bool IsOption(string_view word, SecretKind kind) {
    if (word == "-" || word == "--") return true;
    if (word.starts_with("--")) return IsLetter(word[2]) && !IsRandomOption(word.substr(2), kind);
    return word.size() == 2 && word[0] == '-' && IsLetter(word[1]);
  }

  void NoteProgram(string_view word) {
    word = BaseName(word);
    const std::span<const LetterOption> options = LetterOptionsOf(word);
    if (options.empty()) return;
    program_ = word;
    options_ = options;
  }

  // Returns where it ends; 0: it is none.
  std::size_t TakeLetterOption(std::size_t begin, std::size_t end) {
    const string_view word = text_.Text(begin, end);
    if (word.size() < 2 || word[0] != '-' || word[1] == '-') return 0;
    for (const LetterOption& option : options_) {
      if (option.letter != word[1] || option.value == LetterValue::kAfterSlash) continue;
      if (word.size() == 2) return option.separate ? ExpectLetterValue(option, end) : 0;
      if (option.attached) return TakeAttached(option, begin + 2, end);
    }
    // curl -su
    const bool bundle = program_ == "curl" && std::all_of(word.begin() + 1, word.end(), IsLetter);
    for (const LetterOption& option : options_) {
      if (bundle && word.back() == option.letter) return ExpectLetterValue(option, end);
    }
    return 0;
  }

  std::size_t ExpectLetterValue(const LetterOption& option, std::size_t end) {
    kind_ = SecretKind::kPassword;
    next_ = Next::kValue;
    switch (option.value) {
      case LetterValue::kSecretOrPort:
        kind_ = SecretKind::kKey;
        break;
      case LetterValue::kUser:
        next_ = Next::kUser;
        break;
      case LetterValue::kUserOrToken:
        next_ = Next::kUserOrToken;
        break;
      case LetterValue::kCookie:
        next_ = Next::kCookie;
        break;
      case LetterValue::kSecret:
      case LetterValue::kAfterSlash:
        break;
    }
    return end;
  }

  std::size_t TakeAttached(const LetterOption& option, std::size_t begin, std::size_t end) {
    if (option.value == LetterValue::kUser || option.value == LetterValue::kUserOrToken) {
      values_.TakeUser(begin, end, program_, option.value == LetterValue::kUserOrToken);
    } else if (option.value == LetterValue::kCookie) {
      return Follow(values_.TakeCookie(begin, end));
    } else {
      const std::size_t stop = text_.TrimmedEnd(begin, end);
      const string_view value = text_.Text(begin, stop);
      const bool port = option.value == LetterValue::kSecretOrPort &&
                        std::all_of(value.begin(), value.end(), IsDigit);
      if (!port) values_.Mask(begin, stop);
    }
    return end;
  }

  // Every `name=value`, `name: value` and `"name": value` of one word, and the option it may be.
  std::size_t ScanNames(std::size_t begin, std::size_t end) {
    word_begin_ = begin;
    Name name;
    for (std::size_t i = begin; i < end; ++i) {
      const char c = text_[i];
      if (IsNamePart(c)) {
        if (!name.open) name = Name{i, i, true};
        name.end = i + 1;
        continue;
      }
      const std::size_t next = TakeMark(c, name, i, end);
      if (next >= end) return next;
      if (next > i) i = next - 1;
    }
    if (name.begin != kNone) NoteBareName(name);
    return end;
  }

  // `c` at `at` is no part of a name; `name` stands before it, if any does. Returns where to go on,
  // or `at`.
  std::size_t TakeMark(char c, Name& name, std::size_t at, std::size_t end) {
    const Name before = std::exchange(name, Name{});
    const bool named = before.begin != kNone;
    if (c == '%') {
      const CommandText::Escape escape = text_.ReadEscape(at);
      if (escape.end == 0 || escape.end > end) return at;
      if (named && IsQuote(escape.character)) name = Name{before.begin, before.end, false};
      const bool assigned = escape.character == '=' || escape.character == ':';
      return named && assigned ? TakeEncoded(before, escape.end, end) : escape.end;
    }
    if (c == ')') in_login_ = false;
    if (!named) return at;
    if (c == '(') return TakeCall(text_.Text(before.begin, before.end), at);
    if (c == '=' || c == ':') return TakeAssigned(before, at, end);
    if (c == '>') TakeElement(before, at);
    if (!IsQuote(c) && c != ']' && c != '\\' && c != ',') return at;
    const std::size_t next = c == ',' ? TakeListed(before, at, end) : at;
    // os.environ["X"]=, {"x":, ['--x',
    if (next == at) name = Name{before.begin, before.end, false};
    return next;
  }

  // Returns where its arguments end, or `at`.
  std::size_t TakeCall(string_view name, std::size_t at) {
    if (!IsLoginCall(name)) return at;
    in_login_ = true;
    return text_.StructureEnd(at) == kNone ? at : values_.Take(at, SecretKind::kPassword).end;
  }

  // `token%3DX` in a URL.
  std::size_t TakeEncoded(const Name& name, std::size_t value, std::size_t end) {
    const SecretKind kind = JudgeName(text_.Text(name.begin, name.end));
    return kind == SecretKind::kNone ? value : values_.TakeQuery(value, end, kind, true);
  }

  // `<password>X</password>`, of which `</password` ends at `mark`.
  void TakeElement(const Name& name, std::size_t mark) {
    if (name.end != mark || JudgeName(text_.Text(name.begin, mark)) == SecretKind::kNone) return;
    const CommandText::Part content = text_.ContentBefore(name.begin, mark);
    values_.Mask(content.begin, content.end);
  }

  // `--args=--password,X,--x`, `['--password','X']` and `putenv('X', 'Y')`. Returns `comma` where
  // it is none.
  std::size_t TakeListed(const Name& name, std::size_t comma, std::size_t end) {
    const bool set = IsSetCall(text_.Text(word_begin_, name.begin));
    if (!set && (text_[name.begin] != '-' || comma + 1 == end)) return comma;
    if (name.end != comma && !IsQuote(text_[comma - 1])) return comma;
    const SecretKind kind = JudgeName(text_.Text(name.begin, name.end));
    if (kind == SecretKind::kNone) return comma;
    const std::size_t value = comma + 1;
    if (value == end) return Follow({end, kind});
    if (IsQuote(text_[value]) || text_[value] == '\\') return Follow(values_.Take(value, kind));
    std::size_t stop = value;
    while (stop < end && text_[stop] != ',') ++stop;
    if (IsOption(text_.Text(value, stop), kind)) return comma;
    values_.MaskUnlessHarmless(value, stop == end ? text_.TrimmedEnd(value, end) : stop, kind);
    return stop;
  }

  // `name` stands before the `=` or `:` at `mark`. Returns where to go on: `mark` when the name
  // is harmless.
  std::size_t TakeAssigned(const Name& name, std::size_t mark, std::size_t end) {
    const string_view text = text_.Text(name.begin, name.end);
    const char before = name.begin > 0 ? text_[name.begin - 1] : ' ';
    const bool in_query = before == '?' || before == '&';
    SecretKind kind = JudgeName(text);
    if (text_[mark] == ':') {
      if (text_.Text(mark, end).starts_with("://")) return mark;
      if (before == '/') {
        if (!IsSlashOption(name, mark, end)) return mark;
        if (TakesSlashPassword(text)) kind = SecretKind::kPassword;
      }
    } else if (IsUserOption(text, program_)) {
      values_.TakeUser(mark + 1, end, program_, false);
      return end;
    }
    if (IsBare(kind)) {
      const bool shouted = IsUpper(text[0]) && text_[mark] == '=';
      if (text[0] != '-' && !in_query && !shouted && !in_login_) return mark;
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
    if (in_query) return values_.TakeQuery(value, end, kind, false);
    return Follow(values_.Take(value, kind));
  }

  // `/name:X` is a word of its own, and X no directory.
  bool IsSlashOption(const Name& name, std::size_t mark, std::size_t end) const {
    const std::size_t slash = name.begin - 1;
    const bool first = slash == word_begin_ || (slash > word_begin_ && IsQuote(text_[slash - 1]));
    return first && mark + 1 < end && text_[mark + 1] != '/';
  }
  // xfreerdp /p:X, /gp:X
  bool TakesSlashPassword(string_view name) const {
    return !options_.empty() && options_[0].value == LetterValue::kAfterSlash &&
           (name == "p" || name == "gp");
  }

  // A word that ends in a name: an option whose value is the next word, a scheme before its
  // credential, or a variable about to be assigned.
  void NoteBareName(const Name& name) {
    const string_view text = text_.Text(name.begin, name.end);
    if (EndsInBearer(name.begin, name.end)) {
      if (!before_.ends_with("type")) ExpectCredential();
    } else if (IsUserOption(text, program_)) {
      next_ = Next::kUser;
    } else {
      kind_ = JudgeName(text);
      if (kind_ == SecretKind::kNone) return;
      const bool option = text[0] == '-' && text.size() > 1;
      if (option || setting_ > 0 || IsWordPassword(name)) {
        next_ = Next::kValue;
      } else if (!IsBare(kind_) || in_login_) {
        next_ = Next::kMaybeAssigned;
      }
    }
  }

  // `Password X`: no directory and no part of another name.
  bool IsWordPassword(const Name& name) const {
    const bool first =
        name.begin == word_begin_ || IsQuote(text_[name.begin - 1]) || text_[name.begin - 1] == '(';
    const string_view text = text_.Text(name.begin, name.end);
    const bool sets = text.starts_with("set-") && text.ends_with("-password");
    return first && (sets || EqualsIgnoreCase(text, "password"));
  }

  bool EndsInBearer(std::size_t begin, std::size_t end) const {
    string_view word = text_.Text(begin, end);
    while (!word.empty() && IsQuote(word.front())) word.remove_prefix(1);
    return EqualsIgnoreCase(word, "bearer");
  }
  std::size_t Follow(const SecretValues::Taken& taken) {
    if (taken.next != SecretKind::kNone) {
      kind_ = taken.next;
      next_ = Next::kValue;
    }
    return taken.end;
  }
  void ExpectCredential() {
    kind_ = SecretKind::kPassword;
    next_ = Next::kValue;
  }

  CommandText text_;
  SecretValues values_;
  Next next_ = Next::kWord;
  SecretKind kind_ = SecretKind::kNone;  // of the value that `next_` announces
  string_view program_;                  // the newest that has
  std::span<const LetterOption> options_;
  bool login_program_ = false;  // the word before was one of kLoginPrograms
  bool login_ = false;          // arguments of its login
  bool in_login_ = false;       // a call's, IsLoginCall
  string_view before_;          // the word before
  std::size_t word_begin_ = 0;  // of the word that is scanned
  int identified_ = 0;          // words left that may lead to `by`
  int setting_ = 0;             // words left that may name what is set
};

}  // namespace

void FindNamedSecrets(string_view text, TextSpans& spans) {
  NamedSecrets(text, spans).Find();
}

}  // namespace gpumon::gpu
