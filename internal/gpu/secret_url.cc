#include "internal/gpu/secret_url.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "internal/base/text.h"
#include "internal/gpu/characters.h"

namespace gpumon::gpu {
namespace {

using std::string_view;
constexpr std::size_t kNone = string_view::npos;

bool EndsAuthority(char c) {
  return IsSpace(c) || string_view("/?#\"'`<>\\").find(c) != kNone;
}

std::size_t WordEnd(string_view text, std::size_t at) {
  while (at < text.size() && !IsSpace(text[at])) ++at;
  return at;
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

// A name, or the domain and the name of Windows, where the host is no tag: DOMAIN/me:X@10.0.0.1.
bool IsUser(string_view user, string_view host) {
  const std::size_t mark = user.find_first_of("/@");
  if (mark == kNone) return true;
  return user[mark] == '/' && mark > 0 && user.find_first_of("/@", mark + 1) == kNone &&
         host.find('.') != kNone && host.find_first_of("/:@") == kNone;
}

// `user:password@host`, after a `name=` or a quote, and perhaps the `//` of a share.
void FindSchemeless(string_view text, TextSpan word, TextSpans& spans) {
  string_view rest = text.substr(word.begin, word.end - word.begin);
  const std::size_t at = rest.rfind('@');
  if (at == kNone || at + 1 == rest.size() || !IsAlnum(rest[at + 1])) return;
  if (IsDigestName(rest.substr(at + 1))) return;
  rest = rest.substr(0, at);
  const std::size_t lead = rest.find_first_of("=\"'");
  std::size_t from = lead == kNone ? 0 : rest.find_first_not_of("=\"'", lead);
  if (from == kNone) return;
  if (rest.substr(from).starts_with("//")) from += 2;
  const std::size_t colon = rest.find(':', from);
  if (colon == kNone || colon == from || colon + 1 == rest.size()) return;
  const string_view user = rest.substr(from, colon - from);
  const string_view host = text.substr(word.begin + at + 1, word.end - word.begin - at - 1);
  if (!IsUser(user, host) || user == "npm" || user == "mailto") return;
  if (rest.substr(from).starts_with("jdbc:oracle:")) return;  // FindOracleLogin knows it
  if (rest.find('/', colon) != kNone) return;
  spans.push_back({word.begin + colon + 1, word.begin + at});
}

// `jdbc:oracle:thin:user/password@host`.
void FindOracleLogin(string_view text, TextSpan word, TextSpans& spans) {
  constexpr string_view kOracle = "jdbc:oracle:";
  string_view url = text.substr(word.begin, word.end - word.begin);
  const std::size_t at = url.rfind('@');
  if (at == kNone) return;
  url = url.substr(0, at);
  const std::size_t begin = url.find(kOracle);
  if (begin == kNone) return;
  const std::size_t driver_end = url.find(':', begin + kOracle.size());
  if (driver_end == kNone) return;
  const std::size_t slash = url.find_first_of("/@", driver_end);
  if (slash == kNone || url[slash] == '@' || slash == driver_end + 1) return;
  if (slash + 1 < url.size()) spans.push_back({word.begin + slash + 1, word.begin + at});
}

// `rtmp://host/live/KEY`: whoever has the key may send.
void FindStreamKey(string_view text, TextSpan url, string_view scheme, TextSpans& spans) {
  if (!scheme.starts_with("rtmp")) return;
  const string_view rest = text.substr(url.begin, url.end - url.begin);
  const std::size_t app = rest.find('/');
  const std::size_t key = app == kNone ? kNone : rest.find('/', app + 1);
  if (key == kNone) return;
  std::size_t end = url.end;
  while (end > url.begin + key + 1 && string_view("\"'`\\;,)]}").find(text[end - 1]) != kNone)
    --end;
  if (end > url.begin + key + 1) spans.push_back({url.begin + key + 1, end});
}

// `https%3A%2F%2Fme%3AX%40host`
void FindEncoded(string_view text, TextSpan word, TextSpans& spans) {
  const auto find = [&](string_view escapes, std::size_t from) {
    for (std::size_t at = from; at + escapes.size() <= word.end; ++at) {
      if (EqualsIgnoreCase(text.substr(at, escapes.size()), escapes)) return at;
    }
    return word.end;
  };
  constexpr string_view kMark = "%3A%2F%2F";
  for (std::size_t mark = find(kMark, word.begin); mark < word.end;) {
    const std::size_t begin = mark + kMark.size();
    mark = find(kMark, begin);
    const std::size_t at = find("%40", begin);
    if (at < mark && at < find("%2F", begin) && at > begin) spans.push_back({begin, at});
  }
}

}  // namespace

void FindUrlSecrets(string_view text, TextSpans& spans) {
  for (std::size_t begin = 0; begin < text.size();) {
    if (IsSpace(text[begin])) {
      ++begin;
      continue;
    }
    const std::size_t end = WordEnd(text, begin);
    const string_view word = text.substr(begin, end - begin);
    std::size_t mark = word.find("://");
    if (mark == kNone) FindSchemeless(text, {begin, end}, spans);
    FindOracleLogin(text, {begin, end}, spans);
    FindEncoded(text, {begin, end}, spans);
    while (mark != kNone) {
      std::size_t scheme = mark;
      while (scheme > 0 && mark - scheme < 16 &&
             (IsAlnum(word[scheme - 1]) || word[scheme - 1] == '+')) {
        --scheme;
      }
      const std::size_t next = word.find("://", mark + 3);
      const TextSpan url = {begin + mark + 3, next == kNone ? end : begin + next};
      FindInUrl(text, url, word.substr(scheme, mark - scheme), spans);
      FindStreamKey(text, url, word.substr(scheme, mark - scheme), spans);
      mark = next;
    }
    begin = end;
  }
}

}  // namespace gpumon::gpu
