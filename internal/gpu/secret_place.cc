#include <array>
#include <cstddef>
#include <cstdint>

#include "internal/base/text.h"
#include "internal/gpu/characters.h"
#include "internal/gpu/secret_argument.h"

namespace gpumon::gpu {
namespace {

using std::string_view;
constexpr std::size_t kNone = string_view::npos;

// Which arguments are secret.
enum class Where : std::uint8_t {
  kPlace,      // the one at `place`, from 1, and what follows it
  kFlagged,    // the same, once -b says that it is there
  kAssigned,   // the values of all NAME=X
  kAfterUser,  // X of USER/X@db
};
struct PlacedSecret {
  string_view program;
  string_view noun;  // "": none
  string_view verb;  // "": the arguments of the program itself
  Where where;
  std::size_t place;
};
constexpr std::array kPlacedSecrets = {
    PlacedSecret{"mc", "alias", "set", Where::kPlace, 4},  // NAME URL USER X
    PlacedSecret{"mc", "host", "add", Where::kPlace, 4},
    PlacedSecret{"mc", "user", "add", Where::kPlace, 3},  // NAME USER X
    PlacedSecret{"mcli", "alias", "set", Where::kPlace, 4},
    PlacedSecret{"mcli", "host", "add", Where::kPlace, 4},
    PlacedSecret{"mcli", "user", "add", Where::kPlace, 3},
    PlacedSecret{"htpasswd", "", "", Where::kFlagged, 3},  // FILE USER X
    PlacedSecret{"wpa_passphrase", "", "", Where::kPlace, 2},
    PlacedSecret{"ngrok", "", "authtoken", Where::kPlace, 1},
    PlacedSecret{"ngrok", "", "add-authtoken", Where::kPlace, 1},
    PlacedSecret{"cloudflared", "service", "install", Where::kPlace, 1},
    PlacedSecret{"rclone", "", "obscure", Where::kPlace, 1},
    PlacedSecret{"rabbitmqctl", "", "add_user", Where::kPlace, 2},
    PlacedSecret{"rabbitmqctl", "", "change_password", Where::kPlace, 2},
    PlacedSecret{"rabbitmqctl", "", "authenticate_user", Where::kPlace, 2},
    PlacedSecret{"redis-cli", "", "auth", Where::kPlace, 1},
    PlacedSecret{"vault", "", "unseal", Where::kPlace, 1},
    PlacedSecret{"vault", "kv", "put", Where::kAssigned, 0},
    PlacedSecret{"vault", "kv", "patch", Where::kAssigned, 0},
    PlacedSecret{"vault", "", "write", Where::kAssigned, 0},
    PlacedSecret{"kubectl", "create", "secret", Where::kAssigned, 0},
    PlacedSecret{"oc", "create", "secret", Where::kAssigned, 0},
    PlacedSecret{"fly", "secrets", "set", Where::kAssigned, 0},
    PlacedSecret{"flyctl", "secrets", "set", Where::kAssigned, 0},
    PlacedSecret{"supabase", "secrets", "set", Where::kAssigned, 0},
    PlacedSecret{"gh", "secret", "set", Where::kPlace, 2},
    PlacedSecret{"sqlplus", "", "", Where::kAfterUser, 0},
    PlacedSecret{"sqlldr", "", "", Where::kAfterUser, 0},
    PlacedSecret{"expdp", "", "", Where::kAfterUser, 0},
    PlacedSecret{"impdp", "", "", Where::kAfterUser, 0},
    PlacedSecret{"rman", "", "", Where::kAfterUser, 0},
};

// Walks over the words of a command line and counts the arguments of the programs it knows.
class PlacedSecrets {
 public:
  PlacedSecrets(string_view text, TextSpans& spans) : text_(text), spans_(spans) {}

  void Find() {
    std::size_t at = 0;
    while (at < text_.size()) {
      std::size_t end = at;
      while (end < text_.size() && !IsSpace(text_[end])) ++end;
      if (end > at) TakeWord(at, end);
      at = end + 1;
    }
  }

 private:
  void TakeWord(std::size_t begin, std::size_t end) {
    const string_view word = text_.substr(begin, end - begin);
    const bool last = EndsCommand(word);
    if (secret_ == nullptr) {
      NoteProgram(word);
    } else if (!last || word.ends_with(';')) {
      TakeArgument(begin, last ? end - 1 : end);
    }
    if (last) {
      program_ = {};
      secret_ = nullptr;
    }
    before_ = word;
  }

  // The program, or what of it takes a secret.
  void NoteProgram(string_view word) {
    const string_view program = BaseName(word);
    for (const PlacedSecret& secret : kPlacedSecrets) {
      if (secret.verb.empty()) {
        if (secret.program == program) Expect(secret);
      } else if (secret.program == program_) {
        const bool noun = secret.noun.empty() || secret.noun == before_;
        if (noun && EqualsIgnoreCase(secret.verb, word)) return Expect(secret);
      } else if (secret.program == program) {
        program_ = program;
      }
    }
  }

  void Expect(const PlacedSecret& secret) {
    secret_ = &secret;
    place_ = secret.place;
    seen_ = 0;
    given_ = secret.where == Where::kPlace;
    quote_ = '\0';
  }

  void TakeArgument(std::size_t begin, std::size_t end) {
    if (secret_->where == Where::kAssigned) {
      TakeAssigned(begin, end);
    } else if (secret_->where == Where::kAfterUser) {
      TakeLogin(begin, end);
    } else {
      Count(begin, end);
    }
  }

  // Values of options count as well, and all that follows the secret may belong to it: that masks
  // more, not less.
  void Count(std::size_t begin, std::size_t end) {
    const string_view word = text_.substr(begin, end - begin);
    const bool due = given_ && seen_ + 1 >= place_;
    if (word.starts_with("--") || (word.starts_with('-') && !due)) {
      if (secret_->where == Where::kFlagged) NoteFlags(word);
    } else if (word.starts_with('>') && seen_ >= place_) {
      secret_ = nullptr;  // where its output goes
    } else {
      ++seen_;
      if (due) Mask(begin, end);
    }
  }

  void NoteFlags(string_view word) {
    if (word.find('b') != kNone) given_ = true;
    if (word.find('n') != kNone) place_ = 2;  // no FILE
  }

  // `x=X`, `--from-literal=x=X`; `x=@file` and `x=-` read it elsewhere.
  void TakeAssigned(std::size_t begin, std::size_t end) {
    if (quote_ != '\0') {
      if (text_[end - 1] == quote_) quote_ = '\0';
      return Mask(begin, end);
    }
    constexpr string_view kLiteral = "--from-literal=";
    const char lead = text_[begin];
    if (IsQuote(lead)) ++begin;
    string_view word = text_.substr(begin, end - begin);
    if (word.starts_with(kLiteral)) {
      begin += kLiteral.size();
      word.remove_prefix(kLiteral.size());
    } else if (word.starts_with('-')) {
      return;
    }
    const std::size_t mark = word.find('=');
    if (mark == kNone || mark + 1 == word.size()) return;
    const std::size_t value = begin + mark + 1;
    const char opened = IsQuote(text_[value]) ? text_[value] : lead;
    if (text_[value] == '@' || WithoutQuotes(word.substr(mark + 1)) == "-") return;
    if (IsQuote(opened) && (text_[end - 1] != opened || end == value + 1)) quote_ = opened;
    Mask(value, end);
  }

  // `USER/X`, `USER/X@db`, `userid=USER/X`.
  void TakeLogin(std::size_t begin, std::size_t end) {
    constexpr string_view kName = "userid=";
    while (begin < end && IsQuote(text_[begin])) ++begin;
    if (text_.substr(begin, end - begin).starts_with(kName)) begin += kName.size();
    const string_view login = text_.substr(begin, end - begin);
    const std::size_t slash = login.find_first_of("/@=.-");
    if (slash == kNone || slash == 0 || login[slash] != '/') return;
    const std::size_t at = login.rfind('@');
    Mask(begin + slash + 1, at == kNone ? end : begin + at);
  }

  // Without the quotes around it.
  void Mask(std::size_t begin, std::size_t end) {
    while (begin < end && IsQuote(text_[begin])) ++begin;
    while (begin < end && IsQuote(text_[end - 1])) --end;
    if (begin < end) spans_.push_back({begin, end});
  }

  const string_view text_;
  TextSpans& spans_;
  string_view program_;                   // of those with placed secrets
  string_view before_;                    // the word before
  const PlacedSecret* secret_ = nullptr;  // whose arguments these are
  std::size_t place_ = 0;                 // of the secret among the arguments
  std::size_t seen_ = 0;                  // arguments
  bool given_ = false;                    // the secret is on the command line
  char quote_ = '\0';                     // around a value of several words
};

}  // namespace

void FindPlacedSecrets(string_view text, TextSpans& spans) {
  PlacedSecrets(text, spans).Find();
}

}  // namespace gpumon::gpu
