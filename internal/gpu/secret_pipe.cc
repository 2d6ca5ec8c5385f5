#include "internal/gpu/secret_pipe.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "internal/gpu/characters.h"
#include "internal/gpu/command_text.h"
#include "internal/gpu/secret_argument.h"

namespace gpumon::gpu {
namespace {

using std::string_view;
constexpr std::size_t kNone = string_view::npos;

// Words of commands that read a secret from standard input.
constexpr std::array<string_view, 18> kAskers = {"--password-stdin",
                                                 "--passphrase-stdin",
                                                 "--token-stdin",
                                                 "--secret-stdin",
                                                 "--pass-stdin",
                                                 "--passphrase-fd",
                                                 "--with-token",
                                                 "--stdin",
                                                 "chpasswd",
                                                 "cryptsetup",
                                                 "htpasswd",
                                                 "kinit",
                                                 "login",
                                                 "passwd",
                                                 "smbpasswd",
                                                 "su",
                                                 "vncpasswd",
                                                 "mkpasswd"};
// After `secret` or `secrets`: gh secret set NAME.
constexpr std::array<string_view, 4> kSecretVerbs = {"set", "create", "put", "import"};

template <std::size_t N>
bool Contains(const std::array<string_view, N>& words, string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Walks over the commands of a command line.
class PipedSecrets {
 public:
  PipedSecrets(string_view text, TextSpans& spans) : whole_(text), text_(text), spans_(spans) {}

  void Find() {
    if (whole_.find('|') == kNone && whole_.find("<<") == kNone) return;
    std::size_t at = 0;
    while (at < whole_.size()) {
      if (IsSpace(whole_[at])) {
        ++at;
      } else if (EndsHere(at)) {
        at = TakeEnd(at);
      } else {
        at = TakeWord(at);
      }
    }
  }

 private:
  // `|`, `;`, `&`; not the `&` of `2>&1` and `&>`.
  bool EndsHere(std::size_t at) const {
    const char c = whole_[at];
    if (c == '|' || c == ';') return true;
    if (c != '&' || (at > 0 && whole_[at - 1] == '>')) return false;
    return at + 1 == whole_.size() || whole_[at + 1] != '>';
  }

  std::size_t TakeEnd(std::size_t at) {
    const bool doubled = at + 1 < whole_.size() && whole_[at + 1] == whole_[at];
    const bool both = whole_.substr(at, 2) == "|&";
    producing_ = sudo_ = asks_ = false;
    before_ = {};
    if (whole_[at] == '|' && !doubled) {
      if (!said_.empty()) piped_.swap(said_);
      said_.clear();
    } else {
      piped_.clear();
      if (!grouped_) said_.clear();
    }
    return at + (doubled || both ? 2 : 1);
  }

  std::size_t TakeWord(std::size_t begin) {
    if (producing_) return TakeSaid(begin);
    std::size_t end = begin;
    while (end < whole_.size() && !IsSpace(whole_[end]) && !EndsHere(end)) ++end;
    const string_view word = whole_.substr(begin, end - begin);
    if (word.starts_with("<<")) return TakeHere(begin, end);
    string_view name = BaseName(word);
    if (name.starts_with('(')) {
      grouped_ = true;
      name.remove_prefix(1);
    }
    if (name.ends_with(')')) grouped_ = false;
    if (name == "echo" || name == "printf" || name == "yes") {
      producing_ = true;
    } else if (Asks(word, WithoutQuotes(name))) {
      asks_ = true;
      spans_.insert(spans_.end(), piped_.begin(), piped_.end());
      piped_.clear();
    }
    before_ = word;
    return end;
  }

  bool Asks(string_view word, string_view name) {
    if (name == "sudo") sudo_ = true;
    if (sudo_ && word.size() > 1 && word[0] == '-' && word[1] != '-' && word.find('S') != kNone) {
      return true;
    }
    if (name == "stdin" && before_.starts_with("-pass")) return true;  // openssl
    const bool secret = before_ == "secret" || before_ == "secrets";
    return word.ends_with("=-") || Contains(kAskers, name) ||
           (secret && Contains(kSecretVerbs, name));
  }

  // An argument of `echo`, of several words when it is quoted.
  std::size_t TakeSaid(std::size_t begin) {
    std::size_t end = begin;
    if (IsQuote(whole_[begin])) {
      const std::size_t close = text_.Find(whole_[begin], begin + 1);
      if (close != kNone) {
        if (close > begin + 1) said_.push_back({begin + 1, close});
        return close + 1;
      }
    }
    while (end < whole_.size() && !IsSpace(whole_[end]) && !EndsHere(end)) ++end;
    if (grouped_ && end > begin && whole_[end - 1] == ')') {
      grouped_ = false;
      if (begin + 1 < end) said_.push_back({begin, end - 1});
      return end;
    }
    const std::size_t stop = text_.TrimmedEnd(begin, end);
    const bool flag = said_.empty() && whole_[begin] == '-' && end - begin <= 4;
    if (!flag && begin < stop) said_.push_back({begin, stop});
    return end;
  }

  // `<<< X`; of `<<EOF`, everything.
  std::size_t TakeHere(std::size_t begin, std::size_t end) {
    if (whole_.substr(begin, 3) != "<<<") {
      if (!asks_) return end;
      spans_.push_back({begin + 2, whole_.size()});
      return whole_.size();
    }
    begin += 3;
    while (begin < whole_.size() && IsSpace(whole_[begin])) ++begin;
    if (begin == whole_.size()) return begin;
    end = TakeSaid(begin);
    if (!asks_) return end;
    spans_.insert(spans_.end(), said_.begin(), said_.end());
    said_.clear();
    return end;
  }

  const string_view whole_;
  CommandText text_;
  TextSpans& spans_;
  TextSpans said_;   // by the `echo` or `<<<` of this command
  TextSpans piped_;  // into this command
  string_view before_;
  bool producing_ = false;  // after `echo`
  bool grouped_ = false;    // `(echo a; echo b)`
  bool sudo_ = false;       // after `sudo`
  bool asks_ = false;       // this command reads a secret
};

}  // namespace

void FindPipedSecrets(string_view text, TextSpans& spans) {
  PipedSecrets(text, spans).Find();
}

}  // namespace gpumon::gpu
