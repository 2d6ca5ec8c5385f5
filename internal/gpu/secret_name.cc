#include "internal/gpu/secret_name.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "internal/base/text.h"
#include "internal/gpu/characters.h"

namespace gpumon::gpu {
namespace {

using std::string_view;

template <std::size_t N>
bool Contains(const std::array<string_view, N>& words, string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

template <std::size_t N>
bool EndsWithOneOf(string_view word, const std::array<string_view, N>& endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](string_view ending) { return word.ends_with(ending); });
}

// Secret wherever they stand in a name, also glued to another word: PGPASSWORD, dbpassword.
constexpr std::array<string_view, 4> kPasswordEndings = {"password", "passwd", "passwords",
                                                         "passphrases"};
constexpr std::array<string_view, 23> kPasswordWords = {
    "passphrase", "passwort", "otp",      "totp",     "psk",       "mnemonic",
    "pwd",        "pw",       "passin",   "passout",  "passcode",  "storepass",
    "keypass",    "dbpass",   "rootpass", "userpass", "adminpass", "requirepass",
    "masterauth", "sshpass",  "mypass",   "authpass", "passkey"};
constexpr std::array<string_view, 13> kSecretEndings = {
    "secret",     "secrets",     "apikey",  "accesskey", "secretkey",  "privatekey", "authkey",
    "credential", "credentials", "apikeys", "masterkey", "accountkey", "sharedkey"};
constexpr std::array<string_view, 9> kSecretWords = {
    "creds", "cred", "jwt", "sessionid", "bearer", "sas", "sshkey", "signingkey", "encryptionkey"};

// After a secret word these say that the value is about the secret, not the secret.
constexpr std::array<string_view, 51> kAbout = {
    "file",   "files",     "path",     "paths",     "dir",    "directory", "name",     "names",
    "type",   "types",     "stdin",    "prompt",    "length", "len",       "size",     "count",
    "url",    "uri",       "endpoint", "host",      "port",   "store",     "policy",   "provider",
    "helper", "plugin",    "manager",  "mode",      "method", "enabled",   "required", "expiry",
    "ttl",    "timeout",   "mount",    "namespace", "ref",    "backend",   "version",  "region",
    "format", "algorithm", "cache",    "command",   "source", "class",     "field",    "column",
    "fd",     "def",       "defs"};

// Words that leave the meaning of the one before as it is.
constexpr std::array<string_view, 14> kNeutral = {"value", "base", "b",   "hex",    "raw",
                                                  "plain", "text", "str", "string", "prod",
                                                  "dev",   "old",  "new", "hash"};

// Before `token` or `key`: the vocabulary of models and tables.
constexpr std::array<string_view, 62> kHarmlessBefore = {
    "pad",     "eos",         "bos",      "unk",     "mask",   "sep",     "cls",     "image",
    "video",   "audio",       "special",  "stop",    "start",  "end",     "max",     "min",
    "num",     "per",         "next",     "first",   "last",   "prompt",  "think",   "placeholder",
    "trigger", "initializer", "add",      "sub",     "multi",  "pre",     "de",      "super",
    "soft",    "visual",      "text",     "label",   "sort",   "primary", "foreign", "partition",
    "public",  "row",         "group",    "caption", "column", "feature", "input",   "output",
    "target",  "cache",       "query",    "join",    "map",    "dict",    "state",   "batch",
    "reward",  "answer",      "response", "hot",     "index",  "metric"};

// Before the plurals, which otherwise count: --max-tokens.
constexpr std::array<string_view, 12> kSecretBefore = {
    "api", "auth",    "access",  "bearer",     "refresh", "secret",
    "hf",  "private", "signing", "encryption", "service", "user"};
// Before `pat`, a personal access token; it is a pattern elsewhere.
constexpr std::array<string_view, 11> kPatOf = {"github",    "gh",    "gitlab",  "git",
                                                "bitbucket", "azure", "ado",     "devops",
                                                "ext",       "user",  "personal"};
// Before `pin`; elsewhere it holds memory and threads in place.
constexpr std::array<string_view, 10> kPinOf = {"user",  "card", "smartcard", "token",  "so",
                                                "login", "key",  "new",       "device", "unlock"};
// Before `code`: what is typed in once.
constexpr std::array<string_view, 12> kCodeOf = {
    "mfa",          "token",  "otp",      "totp",     "auth",    "authorization",
    "verification", "access", "security", "recovery", "pairing", "pin"};
constexpr std::array<string_view, 4> kPhraseOf = {"seed", "recovery", "backup", "mnemonic"};
constexpr std::array<string_view, 5> kKeyKinds = {"api", "access", "secret", "private", "auth"};

// In front of a name: a flag, which takes no value.
constexpr std::array<string_view, 6> kFlag = {"no", "ask", "disable", "skip", "without", "require"};

constexpr std::array<string_view, 10> kVersionWords = {
    "revision", "rev", "commit", "sha", "digest", "checksum", "version", "hash", "ref", "md"};

constexpr std::array<string_view, 10> kSchemes = {"bearer",    "basic", "digest", "token", "apikey",
                                                  "negotiate", "ntlm",  "key",    "hoba",  "scram"};

// The words of a name in lower case, without the digits at their ends. Of a very long name only
// the last bytes are read.
class Words {
 public:
  explicit Words(string_view name) {
    if (name.size() > kMaxName) name.remove_prefix(name.size() - kMaxName);
    std::size_t begin = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const char c = name[i];
      const bool part = IsLetter(c) || IsDigit(c);
      if (!part || (i > begin && StartsHump(name, i))) {
        Add(begin, i);
        begin = part ? i : i + 1;
      }
      text_[i] = IsUpper(c) ? static_cast<char>(c + ('a' - 'A')) : c;
    }
    Add(begin, name.size());
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  string_view operator[](std::size_t i) const { return words_[i]; }
  string_view back() const { return words_[size_ - 1]; }
  string_view before_last() const { return size_ > 1 ? words_[size_ - 2] : string_view(); }
  void DropLast() { --size_; }

 private:
  static constexpr std::size_t kMaxName = 128;

  static bool StartsHump(string_view name, std::size_t i) {
    if (!IsUpper(name[i])) return false;
    if (!IsUpper(name[i - 1])) return true;
    return i + 1 < name.size() && IsLower(name[i + 1]) && IsUpper(name[i - 1]);
  }
  void Add(std::size_t begin, std::size_t end) {
    while (end > begin && IsDigit(text_[end - 1])) --end;
    if (end > begin) words_[size_++] = string_view(text_.data() + begin, end - begin);
  }

  std::array<char, kMaxName> text_{};
  std::array<string_view, kMaxName> words_{};
  std::size_t size_ = 0;
};

SecretKind JudgeWord(const Words& words, std::size_t i) {
  const string_view word = words[i];
  if (EndsWithOneOf(word, kPasswordEndings) || Contains(kPasswordWords, word)) {
    return SecretKind::kPassword;
  }
  if (word == "pass") return SecretKind::kPass;
  if (word == "sig" || word == "signature") return SecretKind::kSignature;
  if (EndsWithOneOf(word, kSecretEndings) || Contains(kSecretWords, word)) {
    return word.ends_with("key") || word.starts_with("cred") ? SecretKind::kKey
                                                             : SecretKind::kToken;
  }
  if (word == "key" && i > 0 && Contains(kKeyKinds, words[i - 1])) return SecretKind::kKey;
  return SecretKind::kNone;
}

// `key` and the like, which say little by themselves.
SecretKind JudgeLoneWord(string_view word) {
  struct Lone {
    string_view word;
    SecretKind kind;
  };
  constexpr std::array kLone = {
      Lone{"key", SecretKind::kBareKey}, Lone{"pat", SecretKind::kBarePattern},
      Lone{"pin", SecretKind::kBarePin}, Lone{"code", SecretKind::kBareCode},
      Lone{"tokens", SecretKind::kList},
  };
  for (const Lone& lone : kLone) {
    if (lone.word == word) return lone.kind;
  }
  return SecretKind::kNone;
}

SecretKind JudgeLast(const Words& words) {
  const string_view last = words.back();
  const string_view before = words.before_last();
  if (last == "authorization" || last == "auth") return SecretKind::kAuthorization;
  if (last == "cookie" || last == "cookies") return SecretKind::kCookie;
  if (last.ends_with("token")) {
    const string_view glued = last.substr(0, last.size() - string_view("token").size());
    const string_view qualifier = glued.empty() ? before : glued;
    return Contains(kHarmlessBefore, qualifier) ? SecretKind::kNone : SecretKind::kToken;
  }
  if (before.empty()) return JudgeLoneWord(last);
  if (last == "pat" && Contains(kPatOf, before)) return SecretKind::kToken;
  if (last == "pin" && Contains(kPinOf, before)) return SecretKind::kPassword;
  if (last == "code" && Contains(kCodeOf, before)) return SecretKind::kPassword;
  if (last == "phrase" && Contains(kPhraseOf, before)) return SecretKind::kPassword;
  if (last == "key") {
    return Contains(kHarmlessBefore, before) ? SecretKind::kNone : SecretKind::kKey;
  }
  if ((last == "tokens" || last == "keys") && Contains(kSecretBefore, before)) {
    return last == "keys" ? SecretKind::kKey : SecretKind::kToken;
  }
  return SecretKind::kNone;
}

bool EqualsOneOf(string_view value, std::initializer_list<string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](string_view word) { return EqualsIgnoreCase(value, word); });
}

// `/etc/x`, `./x`, `~/x`. Base64 may begin with a slash too, but does not go on as a word.
bool IsPath(string_view value) {
  if (value.starts_with("./") || value.starts_with("../") || value.starts_with("~/")) return true;
  if (!value.starts_with('/')) return false;
  value.remove_prefix(1);
  const string_view first = value.substr(0, value.find('/'));
  if (first.empty() || first.size() > 24) return false;
  if (first.size() == value.size() && first.find('.') == string_view::npos) return false;
  return std::all_of(first.begin(), first.end(), [](char c) {
    return IsLower(c) || IsDigit(c) || c == '.' || c == '-' || c == '_';
  });
}

bool IsFileName(string_view value) {
  constexpr std::array<string_view, 15> kSuffixes = {".pem",  ".key", ".crt", ".cer",  ".json",
                                                     ".yaml", ".yml", ".txt", ".pub",  ".p12",
                                                     ".pfx",  ".jks", ".cfg", ".conf", ".ini"};
  return EndsWithOneOf(value, kSuffixes);
}

bool IsSmallNumber(string_view value) {
  return value.size() <= 5 && std::all_of(value.begin(), value.end(), [](char c) {
           return IsDigit(c) || c == ',' || c == '.';
         });
}

// `4096`, `1.5B`, `1, 2, 3`.
bool AreNumbers(string_view value) {
  while (!value.empty() && string_view("})],;").find(value.back()) != string_view::npos) {
    value.remove_suffix(1);  // {"tokens": 5}
  }
  if (!value.empty() && string_view("kKmMgGbBtT").find(value.back()) != string_view::npos) {
    value.remove_suffix(1);
  }
  return std::all_of(value.begin(), value.end(), [](char c) {
    return IsDigit(c) || c == ',' || c == '.' || c == ' ' || c == '_' || c == '-';
  });
}

// `v4`, `s3v4`.
bool IsVersion(string_view value) {
  const std::size_t mark = value.rfind('v');
  return mark != string_view::npos && mark <= 3 && mark + 1 < value.size() && value.size() <= 6 &&
         std::all_of(value.begin() + static_cast<std::ptrdiff_t>(mark) + 1, value.end(), IsDigit);
}

// At least three characters, a digit among them.
bool MayBePin(string_view value) {
  return value.size() >= 3 && std::any_of(value.begin(), value.end(), IsDigit);
}

// What OAuth hands out: long, of letters and digits.
bool IsLongRandom(string_view value) {
  constexpr std::size_t kLong = 16;
  return value.size() >= kLong && std::any_of(value.begin(), value.end(), IsDigit) &&
         std::any_of(value.begin(), value.end(), IsLetter);
}

bool HasWildcard(string_view value) {
  return value.find_first_of("*?[(^") != string_view::npos;
}

}  // namespace

SecretKind JudgeName(string_view name) {
  Words words(name);
  if (words.empty() || Contains(kFlag, words[0])) return SecretKind::kNone;
  const bool alone = words.size() == 1;
  while (words.size() > 1 && Contains(kNeutral, words.back())) words.DropLast();
  if (Contains(kAbout, words.back())) return SecretKind::kNone;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const SecretKind kind = JudgeWord(words, i);
    if (kind == SecretKind::kNone) continue;
    // `pass` and the like are words of their own; only the longer ones speak for a whole name.
    if (i + 1 == words.size() || words[i].size() >= 6 || kind == SecretKind::kKey) return kind;
  }
  const SecretKind kind = JudgeLast(words);
  return kind == SecretKind::kBarePin && !alone ? SecretKind::kPassword : kind;  // pin-value=X
}

bool IsHarmlessValue(SecretKind kind, string_view value) {
  if (value.empty()) return true;
  switch (kind) {
    case SecretKind::kNone:
      return true;
    case SecretKind::kPassword:
    case SecretKind::kCookie:
      return false;
    case SecretKind::kPass:  // ffmpeg -pass 1
      return value.size() == 1 && IsDigit(value[0]);
    case SecretKind::kSignature:
      if (IsVersion(value) || IsSmallNumber(value) || value.ends_with("default")) return true;
      break;
    case SecretKind::kList:
      if (AreNumbers(value)) return true;
      break;
    case SecretKind::kBarePin:
      if (IsFileName(value) || !MayBePin(value)) return true;
      break;
    case SecretKind::kBareCode:
      if (IsFileName(value) || !IsLongRandom(value)) return true;
      break;
    case SecretKind::kBarePattern:
      if (IsFileName(value) || HasWildcard(value)) return true;
      break;
    case SecretKind::kAuthorization:
      if (EqualsOneOf(value, {"mtls", "ldap", "oidc", "oauth", "oauth2", "jwt", "md5"}))
        return true;
      break;
    case SecretKind::kKey:
    case SecretKind::kBareKey:
      if (IsFileName(value) || IsSmallNumber(value)) return true;
      break;
    case SecretKind::kToken:
      break;
  }
  return IsPath(value) ||
         EqualsOneOf(value, {"true", "false", "yes", "no", "on", "off", "none", "null"});
}

bool IsBare(SecretKind kind) {
  return kind >= SecretKind::kBareKey;
}

bool IsAuthorizationScheme(string_view word) {
  return std::any_of(kSchemes.begin(), kSchemes.end(),
                     [&](string_view scheme) { return EqualsIgnoreCase(word, scheme); });
}

bool NamesAVersion(string_view name) {
  const Words words(name);
  return !words.empty() && Contains(kVersionWords, words.back());
}

}  // namespace gpumon::gpu
