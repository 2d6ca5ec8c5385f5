#include "internal/gpu/secret_shape.h"

#include <algorithm>

#include "internal/gpu/characters.h"
#include "internal/gpu/secret_name.h"

namespace gpumon::gpu {
namespace {

using std::string_view;
constexpr std::size_t kNone = string_view::npos;

std::size_t WordEnd(string_view text, std::size_t at) {
  while (at < text.size() && !IsSpace(text[at])) ++at;
  return at;
}

constexpr std::size_t kOpaque = 40;
constexpr std::size_t kOpaquePiece = 32;  // without any punctuation
constexpr std::size_t kLongerThanUuidParts = 13;

bool IsBase64(char c) {
  return IsAlnum(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

// How random a word looks. Random characters change their class (lower, upper, digit) at six
// neighbours of ten; words and camel case do at two or three, most of them the `Aa` of a hump.
struct Texture {
  std::size_t neighbours = 0;
  std::size_t changes = 0;  // but for upper to lower
  std::size_t digit_changes = 0;
  std::size_t longest_piece = 0;
  bool lower = false;
  bool upper = false;
  bool digit = false;
  bool long_piece_of_both_cases = false;

  explicit Texture(string_view word) {
    std::size_t piece = 0;
    bool piece_lower = false;
    bool piece_upper = false;
    char before = '-';
    for (const char c : word) {
      if (!IsAlnum(c)) {
        piece = 0;
        piece_lower = piece_upper = false;
        before = c;
        continue;
      }
      lower |= IsLower(c);
      upper |= IsUpper(c);
      digit |= IsDigit(c);
      piece_lower |= IsLower(c);
      piece_upper |= IsUpper(c);
      longest_piece = std::max(longest_piece, ++piece);
      long_piece_of_both_cases |= piece >= kLongerThanUuidParts && piece_lower && piece_upper;
      if (piece > 1) Compare(before, c);
      before = c;
    }
  }
  void Compare(char a, char b) {
    ++neighbours;
    if (IsDigit(a) != IsDigit(b)) ++digit_changes;
    const bool same = IsDigit(a) == IsDigit(b) && IsUpper(a) == IsUpper(b);
    if (!same && !(IsUpper(a) && IsLower(b))) ++changes;
  }
  bool IsMixed() const {
    return digit && long_piece_of_both_cases &&
           (changes * 100 >= neighbours * 28 || digit_changes * 100 >= neighbours * 18);
  }
};

// The name before `text[at]`: `--revision abc`, `GIT_SHA=abc`. At most 64 bytes of it.
string_view NameBefore(string_view text, std::size_t at) {
  const auto is_name = [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; };
  std::size_t end = at;
  while (end > 0 && at - end < 4 && string_view("= :\"'").find(text[end - 1]) != kNone) --end;
  std::size_t begin = end;
  while (begin > 0 && end - begin < 64 && is_name(text[begin - 1])) --begin;
  return text.substr(begin, end - begin);
}

bool IsVersionAt(string_view text, std::size_t at, std::size_t size) {
  if (at > 0 && text[at - 1] == '@' && (size == 40 || size == 64)) return true;
  return at > 0 && NamesAVersion(NameBefore(text, at));
}

// One part of a word, between slashes, or all of it.
bool IsOpaque(string_view text, std::size_t begin, std::size_t end, bool in_path) {
  const string_view part = text.substr(begin, end - begin);
  if (part.size() < kOpaquePiece) return false;
  const Texture texture(part);
  if (texture.IsMixed() && (part.size() >= kOpaque || texture.longest_piece >= kOpaquePiece)) {
    return true;
  }
  if (part.size() < kOpaque || in_path || texture.longest_piece < kOpaque) return false;
  // Hexadecimal, or base32 in one case.
  const bool hex = std::all_of(part.begin(), part.end(), IsHex);
  const bool one_case = texture.digit && (texture.lower || texture.upper) &&
                        texture.changes * 100 >= texture.neighbours * 20;
  return one_case && !(hex && IsVersionAt(text, begin, part.size()));
}

// A secret access key of AWS: 40 characters of base64, in which slashes may leave no long piece.
bool IsAwsKey(string_view text, TextSpan run) {
  constexpr std::size_t kLength = 40;
  if (run.end - run.begin != kLength || text[run.begin] == '/') return false;
  if (run.begin > 0 && (text[run.begin - 1] == '.' || text[run.begin - 1] == '~')) return false;
  if (run.end < text.size() && text[run.end] == '.') return false;
  const string_view word = text.substr(run.begin, kLength);
  if (word.find_first_of("-_") != kNone) return false;
  const Texture texture(word);
  return texture.digit && texture.lower && texture.upper &&
         texture.changes * 100 >= texture.neighbours * 22;
}

void FindInRun(string_view text, TextSpan run, bool in_url, TextSpans& spans) {
  const string_view word = text.substr(run.begin, run.end - run.begin);
  for (const string_view known : {"sha256-", "sha384-", "sha512-"}) {
    if (word.starts_with(known)) return;
  }
  if ((word.size() >= kOpaque && Texture(word).IsMixed()) || IsAwsKey(text, run)) {
    spans.push_back(run);
    return;
  }
  const bool in_path = !in_url && word.find('/') != kNone;
  for (std::size_t begin = run.begin; begin < run.end;) {
    const std::size_t slash = text.find('/', begin);
    const std::size_t end = std::min(slash, run.end);
    // Of hexadecimal, what a dash or underscore sets off stands by itself.
    std::size_t piece = begin;
    if (IsOpaque(text, begin, end, in_path)) {
      spans.push_back({begin, end});
    } else {
      for (std::size_t i = begin; i <= end; ++i) {
        if (i < end && IsAlnum(text[i])) continue;
        if (IsOpaque(text, piece, i, in_path)) spans.push_back({piece, i});
        piece = i + 1;
      }
    }
    begin = end + 1;
  }
}

}  // namespace

bool IsDigestName(string_view text) {
  return text.starts_with("sha256:") || text.starts_with("sha384:") || text.starts_with("sha512:");
}

void FindPemBlocks(string_view text, TextSpans& spans) {
  constexpr string_view kBegin = "-----BEGIN ";
  constexpr string_view kEnd = "-----END ";
  for (std::size_t at = text.find(kBegin); at != kNone; at = text.find(kBegin, at)) {
    std::size_t end = text.find(kEnd, at);
    if (end != kNone) end = text.find("-----", end + kEnd.size());
    end = end == kNone ? text.size() : end + 5;
    spans.push_back({at, end});
    at = end;
  }
}

void FindOpaqueWords(string_view text, TextSpans& spans) {
  std::size_t url_end = 0;  // of the newest URL
  for (std::size_t begin = 0; begin < text.size();) {
    if (!IsBase64(text[begin])) {
      ++begin;
      continue;
    }
    std::size_t end = begin;
    while (end < text.size() && IsBase64(text[end])) ++end;
    const std::size_t from = begin;
    begin = end;
    if (from >= url_end && from > 0 && text.substr(from - 1).starts_with("://")) {
      url_end = WordEnd(text, from);
    }
    if (end - from < kOpaquePiece) continue;
    if (from > 0 && text[from - 1] == ':' && IsDigestName(text.substr(from < 7 ? 0 : from - 7))) {
      continue;
    }
    FindInRun(text, {from, end}, from < url_end, spans);
  }
}

}  // namespace gpumon::gpu
