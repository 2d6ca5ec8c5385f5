#include "internal/gpu/secret_shape.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "internal/gpu/secret_name.h"

namespace gpumon::gpu {
namespace {

using std::string_view;
constexpr std::size_t kNone = string_view::npos;

bool IsLower(char c) {
  return c >= 'a' && c <= 'z';
}
bool IsUpper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsAlnum(char c) {
  return IsLower(c) || IsUpper(c) || IsDigit(c);
}
bool IsHex(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool IsSpace(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}
bool EndsAuthority(char c) {
  return IsSpace(c) || string_view("/?#\"'`<>\\").find(c) != kNone;
}

std::size_t WordEnd(string_view text, std::size_t at) {
  while (at < text.size() && !IsSpace(text[at])) ++at;
  return at;
}

// ---- userinfo

bool IsDigestName(string_view host) {
  return host.starts_with("sha256:") || host.starts_with("sha384:") || host.starts_with("sha512:");
}

// `host:8080`, `host`, `[::1]`: no password was cut in two by a `/` or `#` of its own.
bool IsWholeAuthority(string_view authority, char stopped_by) {
  const std::size_t colon = authority.rfind(':');
  if (colon == kNone || authority.starts_with('[')) return true;
  const string_view port = authority.substr(colon + 1);
  return colon > 0 && stopped_by != '#' && std::all_of(port.begin(), port.end(), IsDigit);
}

// `text[begin, end)` follows `://` and has no `://` of its own.
void FindInUrl(string_view text, TextSpan url, string_view scheme, TextSpans& spans) {
  std::size_t stop = url.begin;
  while (stop < url.end && !EndsAuthority(text[stop])) ++stop;
  const string_view authority = text.substr(url.begin, stop - url.begin);
  std::size_t at = authority.rfind('@');
  if (at == kNone) {
    if (stop == url.end || IsWholeAuthority(authority, text[stop])) return;
    at = text.substr(url.begin, url.end - url.begin).rfind('@');
    if (at == kNone) return;
  }
  if (at == 0) return;
  const bool named_only = authority.substr(0, at).find(':') == kNone && at < authority.size();
  if (named_only && (scheme.ends_with("ssh") || scheme == "sftp" || scheme == "rsync")) return;
  spans.push_back({url.begin, url.begin + at});
}

// `user:password@host`, after a `name=` or a quote.
void FindSchemeless(string_view text, TextSpan word, TextSpans& spans) {
  string_view rest = text.substr(word.begin, word.end - word.begin);
  const std::size_t at = rest.rfind('@');
  if (at == kNone || at + 1 == rest.size() || !IsAlnum(rest[at + 1])) return;
  if (IsDigestName(rest.substr(at + 1))) return;
  rest = rest.substr(0, at);
  const std::size_t lead = rest.find_first_of("=\"'");
  const std::size_t from = lead == kNone ? 0 : rest.find_first_not_of("=\"'", lead);
  if (from == kNone) return;
  const std::size_t colon = rest.find(':', from);
  if (colon == kNone || colon == from || colon + 1 == rest.size()) return;
  const string_view user = rest.substr(from, colon - from);
  if (user.find_first_of("/@") != kNone || user == "npm" || user == "mailto") return;
  if (rest.find('/', colon) != kNone) return;
  spans.push_back({word.begin + colon + 1, word.begin + at});
}

// ---- tokens with a known beginning

struct TokenShape {
  string_view prefix;
  string_view extra;  // beside letters and digits
  std::size_t least;  // characters after the prefix
  bool needs_digit;
};
constexpr std::array kTokenShapes = {
    TokenShape{"eyJ", "-_.=", 17, false},  // JWT, and other base64 of JSON
    TokenShape{"AKIA", "", 12, true},
    TokenShape{"ASIA", "", 12, true},
    TokenShape{"AIza", "-_", 20, false},
    TokenShape{"ya29.", "-_", 10, false},
    TokenShape{"ghp_", "", 12, false},
    TokenShape{"gho_", "", 12, false},
    TokenShape{"ghu_", "", 12, false},
    TokenShape{"ghs_", "", 12, false},
    TokenShape{"ghr_", "", 12, false},
    TokenShape{"github_pat_", "_", 12, false},
    TokenShape{"glpat-", "-_", 12, false},
    TokenShape{"gldt-", "-_", 12, false},
    TokenShape{"glrt-", "-_", 12, false},
    TokenShape{"hf_", "", 16, false},
    TokenShape{"sk-", "-_", 12, true},
    TokenShape{"sk_live_", "", 8, false},
    TokenShape{"sk_test_", "", 8, false},
    TokenShape{"rk_live_", "", 8, false},
    TokenShape{"whsec_", "", 12, false},
    TokenShape{"xoxa-", "-", 8, false},
    TokenShape{"xoxb-", "-", 8, false},
    TokenShape{"xoxp-", "-", 8, false},
    TokenShape{"xoxr-", "-", 8, false},
    TokenShape{"xoxs-", "-", 8, false},
    TokenShape{"xapp-", "-", 8, false},
    TokenShape{"npm_", "", 20, true},
    TokenShape{"pypi-", "-_", 20, true},
    TokenShape{"nvapi-", "-_", 16, false},
    TokenShape{"gsk_", "", 16, false},
    TokenShape{"r8_", "", 16, true},
    TokenShape{"SG.", "-_.", 20, false},
    TokenShape{"hvs.", "-_", 16, false},
    TokenShape{"dop_v1_", "", 16, false},
    TokenShape{"dckr_pat_", "-_", 12, false},
    TokenShape{"shpat_", "", 16, true},
    TokenShape{"lsv2_", "_", 16, true},
    TokenShape{"hooks.slack.com/services/", "/", 8, false},
};
// A decision looks no further than this, so a text full of beginnings stays linear.
constexpr std::size_t kDecisive = 64;

bool BelongsTo(const TokenShape& shape, char c) {
  return IsAlnum(c) || shape.extra.find(c) != kNone;
}

bool Matches(const TokenShape& shape, string_view rest) {
  if (!rest.starts_with(shape.prefix)) return false;
  rest = rest.substr(shape.prefix.size(), kDecisive);
  const auto end =
      std::find_if_not(rest.begin(), rest.end(), [&](char c) { return BelongsTo(shape, c); });
  if (static_cast<std::size_t>(end - rest.begin()) < shape.least) return false;
  return !shape.needs_digit || std::any_of(rest.begin(), end, IsDigit);
}

// ---- opaque words

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

void FindInRun(string_view text, TextSpan run, bool in_url, TextSpans& spans) {
  const string_view word = text.substr(run.begin, run.end - run.begin);
  for (const string_view known : {"sha256-", "sha384-", "sha512-"}) {
    if (word.starts_with(known)) return;
  }
  if (word.size() >= kOpaque && Texture(word).IsMixed()) {
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

void FindUserinfo(string_view text, TextSpans& spans) {
  for (std::size_t begin = 0; begin < text.size();) {
    if (IsSpace(text[begin])) {
      ++begin;
      continue;
    }
    const std::size_t end = WordEnd(text, begin);
    const string_view word = text.substr(begin, end - begin);
    std::size_t mark = word.find("://");
    if (mark == kNone) FindSchemeless(text, {begin, end}, spans);
    while (mark != kNone) {
      std::size_t scheme = mark;
      while (scheme > 0 && mark - scheme < 16 &&
             (IsAlnum(word[scheme - 1]) || word[scheme - 1] == '+')) {
        --scheme;
      }
      const std::size_t next = word.find("://", mark + 3);
      FindInUrl(text, {begin + mark + 3, next == kNone ? end : begin + next},
                word.substr(scheme, mark - scheme), spans);
      mark = next;
    }
    begin = end;
  }
}

void FindKnownTokens(string_view text, TextSpans& spans) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!IsAlnum(text[i]) || (i > 0 && IsAlnum(text[i - 1]))) continue;
    for (const TokenShape& shape : kTokenShapes) {
      if (shape.prefix[0] != text[i] || !Matches(shape, text.substr(i))) continue;
      std::size_t end = i + shape.prefix.size();
      while (end < text.size() && BelongsTo(shape, text[end])) ++end;
      spans.push_back({i, end});
      i = end - 1;
      break;
    }
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
