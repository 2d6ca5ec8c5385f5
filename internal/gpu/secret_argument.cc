#include "internal/gpu/secret_argument.h"

#include <cstddef>

namespace gpumon::gpu {
namespace {

using std::string_view;
constexpr std::size_t kNone = string_view::npos;

// `program ... noun verb`: its argument at `place`, from 1, is a secret.
struct PlacedSecret {
  string_view program;
  string_view noun;
  string_view verb;
  std::size_t place;
};
constexpr std::array kPlacedSecrets = {
    PlacedSecret{"mc", "alias", "set", 4},  // NAME URL USER X
    PlacedSecret{"mcli", "alias", "set", 4}, PlacedSecret{"mc", "host", "add", 4},
    PlacedSecret{"mcli", "host", "add", 4},  PlacedSecret{"mc", "user", "add", 3},  // NAME USER X
    PlacedSecret{"mcli", "user", "add", 3},
};

bool IsSpace(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}
bool IsQuote(char c) {
  return c == '"' || c == '\'' || c == '`';
}

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
    if (place_ == 0) {
      NoteProgram(word);
    } else if (!last || word.ends_with(';')) {
      TakeArgument(begin, last ? end - 1 : end);
    }
    if (last) {
      program_ = {};
      place_ = 0;
    }
    before_ = word;
  }

  // The program, or what of it takes a secret.
  void NoteProgram(string_view word) {
    for (const PlacedSecret& secret : kPlacedSecrets) {
      if (secret.program == program_ && secret.noun == before_ && secret.verb == word) {
        place_ = secret.place;
        seen_ = 0;
        given_ = true;
        return;
      }
    }
    word = BaseName(word);
    if (word == "mc" || word == "mcli") {
      program_ = word;
    } else if (word == "htpasswd") {
      program_ = word;
      place_ = 3;  // FILE USER X
      seen_ = 0;
      given_ = false;  // without -b it asks
    }
  }

  // Values of options count as well, and all that follows the secret may belong to it: that masks
  // more, not less.
  void TakeArgument(std::size_t begin, std::size_t end) {
    const string_view word = text_.substr(begin, end - begin);
    const bool due = given_ && seen_ + 1 >= place_;
    if (word.starts_with("--") || (word.starts_with('-') && !due)) {
      if (program_ == "htpasswd") NoteFlags(word);
    } else if (word.starts_with('>') && seen_ >= place_) {
      place_ = 0;  // where its output goes
    } else {
      ++seen_;
      if (due) Mask(begin, end);
    }
  }

  void NoteFlags(string_view word) {
    if (word.find('b') != kNone) given_ = true;
    if (word.find('n') != kNone) place_ = 2;  // no FILE
  }

  // Without the quotes around it.
  void Mask(std::size_t begin, std::size_t end) {
    while (begin < end && IsQuote(text_[begin])) ++begin;
    while (begin < end && IsQuote(text_[end - 1])) --end;
    if (begin < end) spans_.push_back({begin, end});
  }

  const string_view text_;
  TextSpans& spans_;
  string_view program_;    // of those with placed secrets
  string_view before_;     // the word before
  std::size_t place_ = 0;  // of the secret among the arguments; 0: none is expected
  std::size_t seen_ = 0;   // arguments
  bool given_ = false;     // the secret is on the command line
};

}  // namespace

std::string_view BaseName(string_view word) {
  while (!word.empty() && IsQuote(word.front())) word.remove_prefix(1);
  if (const std::size_t slash = word.rfind('/'); slash != kNone) word.remove_prefix(slash + 1);
  return word;
}

bool EndsCommand(string_view word) {
  return word == "&&" || word == "||" || word == ";" || word == "|" || word == "&" ||
         word.ends_with(';');
}

void FindPlacedSecrets(string_view text, TextSpans& spans) {
  PlacedSecrets(text, spans).Find();
}

}  // namespace gpumon::gpu
